// SPDX-License-Identifier: Apache-2.0

// Notes and trees, judged by Go's libraries: notes.go OURS THEIRS SEED
//
// OURS has what the Swift side made, one JSON object a line, with what it believes of each. This judges
// every line with golang.org/x/mod/sumdb, says where it believes something else, and writes as many
// lines of its own to THEIRS. A good share of the lines is broken on purpose.
//
// Debian's golang-go and golang-golang-x-mod-dev are enough:
// GO111MODULE=off GOPATH=/usr/share/gocode go run notes.go OURS THEIRS SEED
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// An Item is a line; NoteJudgeTests.swift has the same.
type Item struct {
	Kind    string   `json:"kind"`
	Valid   bool     `json:"isValid"`
	Key     string   `json:"key"`
	Note    []byte   `json:"note"`
	Text    []byte   `json:"text"`
	Time    int64    `json:"time"`
	Origin  string   `json:"origin"`
	Size    int64    `json:"size"`
	Root    []byte   `json:"root"`
	Index   int64    `json:"index"`
	Leaf    []byte   `json:"leaf"`
	OldSize int64    `json:"oldSize"`
	OldRoot []byte   `json:"oldRoot"`
	Proof   [][]byte `json:"proof"`
}

var errDiffers = errors.New("something else is in it")

// judge returns why an item is not what it says.
func judge(item Item) error {
	switch item.Kind {
	case "note", "cosignature", "checkpoint":
		return judgeNote(item)
	case "tree":
		root, err := tlog.TreeHash(int64(len(item.Proof)), storage(item.Proof))
		if err == nil && !bytes.Equal(root[:], item.Root) {
			err = errDiffers
		}
		return err
	}
	root, oldRoot, leaf := hash(item.Root), hash(item.OldRoot), hash(item.Leaf)
	proof := []tlog.Hash{}
	for _, one := range item.Proof {
		if len(one) != tlog.HashSize {
			return errDiffers
		}
		proof = append(proof, hash(one))
	}
	if item.Kind == "inclusion" {
		return tlog.CheckRecord(proof, item.Size, root, item.Index, leaf)
	}
	return tlog.CheckTree(proof, item.Size, root, item.OldSize, oldRoot)
}

func judgeNote(item Item) error {
	newKey := note.NewVerifier
	if item.Kind == "cosignature" {
		newKey = newCosigner
	}
	key, err := newKey(item.Key)
	if err != nil {
		return err
	}
	opened, err := note.Open(item.Note, note.VerifierList(key))
	if err != nil {
		return err
	}
	switch item.Kind {
	case "cosignature":
		bytes, _ := base64.StdEncoding.DecodeString(opened.Sigs[0].Base64)
		if int64(binary.BigEndian.Uint64(bytes[4:])) != item.Time {
			return errDiffers
		}
	case "checkpoint":
		// Go's own log has one name, and is the same in everything else.
		parts := strings.SplitN(opened.Text, "\n", 2)
		tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + parts[1]))
		if err != nil {
			return err
		}
		if parts[0] != item.Origin || tree.N != item.Size || tree.Hash != hash(item.Root) {
			return errDiffers
		}
	}
	if opened.Text != string(item.Text) {
		return errDiffers
	}
	return nil
}

func hash(bytes []byte) (hash tlog.Hash) {
	copy(hash[:], bytes)
	return hash
}

// storage keeps the hashes of a tree as tlog wants to read them.
func storage(records [][]byte) tlog.HashReaderFunc {
	var stored []tlog.Hash
	var reader tlog.HashReaderFunc = func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	}
	for number, record := range records {
		more, err := tlog.StoredHashes(int64(number), record, reader)
		check(err)
		stored = append(stored, more...)
	}
	return reader
}

// A cosigner is what sumdb/note lacks: C2SP's tlog-cosignature, written from its text.
type cosigner struct {
	name   string
	public ed25519.PublicKey
	secret ed25519.PrivateKey
	time   uint64
}

func newCosigner(text string) (note.Verifier, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return nil, errDiffers
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errDiffers
	}
	made := cosigner{name: parts[0], public: key[1:]}
	if made.text() != text {
		return nil, errDiffers
	}
	return made, nil
}

func (c cosigner) text() string {
	key := base64.StdEncoding.EncodeToString(append([]byte{4}, c.public...))
	return fmt.Sprintf("%s+%08x+%s", c.name, c.KeyHash(), key)
}

func (c cosigner) Name() string { return c.name }

func (c cosigner) KeyHash() uint32 {
	sum := sha256.Sum256([]byte(c.name + "\n\x04" + string(c.public)))
	return binary.BigEndian.Uint32(sum[:])
}

func cosigned(time uint64, text []byte) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(time, 10)+"\n"), text...)
}

func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	return time < 1<<63 && ed25519.Verify(c.public, cosigned(time, text), signature[8:])
}

func (c cosigner) Sign(text []byte) ([]byte, error) {
	stamp := make([]byte, 8)
	binary.BigEndian.PutUint64(stamp, c.time)
	return append(stamp, ed25519.Sign(c.secret, cosigned(c.time, text))...), nil
}

// A maker makes items of its own.
type maker struct{ *rand.Rand }

var (
	names = []string{"log", "a.example/log", "é", "e\u0301", "木", "\u0301x", "x\u0600", "—", "a="}
	words = []string{"a", " ", "é", "e\u0301", "— ", "\u2028", "\u0085", "🇩🇪", "+", "\n", "\n\n"}
)

func newItem(kind string) Item {
	none := []byte{}
	return Item{Kind: kind, Valid: true, Note: none, Text: none, Root: none, Leaf: none,
		OldRoot: none, Proof: [][]byte{}}
}

func (m maker) bytes(count int) []byte {
	bytes := make([]byte, count)
	m.Read(bytes)
	return bytes
}

func (m maker) text() string {
	text := words[m.Intn(8)]
	for m.Intn(20) > 0 {
		text += words[m.Intn(len(words))]
	}
	return text + "\n"
}

func (m maker) newNote(kind string) Item {
	item := newItem(kind)
	item.Text = []byte(m.text())
	name := names[m.Intn(len(names))]
	if kind == "checkpoint" {
		item.Origin, item.Size, item.Root = name, m.Int63()>>uint(m.Intn(64)), m.bytes(32)
		tree := string(tlog.FormatTree(tlog.Tree{N: item.Size, Hash: hash(item.Root)}))
		item.Text = []byte(name + tree[strings.Index(tree, "\n"):])
	}
	var signers []note.Signer
	for number := 0; number <= m.Intn(4); number++ {
		secret, public, err := note.GenerateKey(m, name)
		check(err)
		signer, err := note.NewSigner(secret)
		check(err)
		item.Key, signers = public, append(signers, signer)
	}
	if kind == "cosignature" {
		public, secret, err := ed25519.GenerateKey(m)
		check(err)
		made := cosigner{name, public, secret, m.Uint64() >> uint(1+m.Intn(63))}
		item.Key, item.Time, signers = made.text(), int64(made.time), append(signers, made)
	}
	signed, err := note.Sign(&note.Note{Text: string(item.Text)}, signers...)
	check(err)
	item.Note = signed
	if m.Intn(3) == 0 {
		item.Valid = false
		m.breakNote(&item)
	}
	return item
}

// breakNote breaks the text or the last signature, which is the one of the item's key.
func (m maker) breakNote(item *Item) {
	start := bytes.LastIndexByte(item.Note, ' ') + 1
	raw, err := base64.StdEncoding.DecodeString(string(item.Note[start : len(item.Note)-1]))
	check(err)
	switch m.Intn(5) {
	case 0:
		item.Note[m.Intn(len(item.Text))] ^= 1 << uint(m.Intn(8))
		return
	case 1:
		item.Note = item.Note[:len(item.Note)-1-m.Intn(3)]
		return
	case 2:
		item.Note = append([]byte{byte(m.Intn(10))}, item.Note...)
		return
	case 3:
		raw = raw[:len(raw)-1]
	case 4:
		raw[m.Intn(len(raw))] ^= 1 << uint(m.Intn(8))
	}
	item.Note = append(item.Note[:start], base64.StdEncoding.EncodeToString(raw)+"\n"...)
}

func (m maker) newProof(kind string) Item {
	item := newItem(kind)
	item.Size = 1 + m.Int63n(200)
	records := [][]byte{}
	for int64(len(records)) < item.Size {
		records = append(records, m.bytes(m.Intn(40)))
	}
	reader := storage(records)
	root, err := tlog.TreeHash(item.Size, reader)
	check(err)
	item.Root = root[:]
	var proof []tlog.Hash
	switch kind {
	case "tree":
		item.Proof = records
	case "inclusion":
		item.Index = m.Int63n(item.Size)
		leaf := tlog.RecordHash(records[item.Index])
		item.Leaf = leaf[:]
		proof, err = tlog.ProveRecord(item.Size, item.Index, reader)
	case "consistency":
		item.OldSize = 1 + m.Int63n(item.Size)
		old, treeErr := tlog.TreeHash(item.OldSize, reader)
		check(treeErr)
		item.OldRoot = old[:]
		proof, err = tlog.ProveTree(item.Size, item.OldSize, reader)
	}
	check(err)
	for _, one := range proof {
		item.Proof = append(item.Proof, append([]byte{}, one[:]...))
	}
	if m.Intn(3) == 0 {
		item.Valid = false
		m.breakProof(&item)
	}
	return item
}

func (m maker) breakProof(item *Item) {
	place := m.Intn(len(item.Proof) + 1)
	way := m.Intn(4)
	switch {
	case way == 0 && place < len(item.Proof) && len(item.Proof[place]) > 0:
		item.Proof[place][m.Intn(len(item.Proof[place]))] ^= 1 << uint(m.Intn(8))
	case way == 1 && place < len(item.Proof):
		item.Proof = append(item.Proof[:place], item.Proof[place+1:]...)
	case way == 2 && item.Kind == "inclusion":
		item.Index = (item.Index + 1 + m.Int63n(300)) % 500
	case way == 2 && item.Kind == "consistency":
		item.OldRoot[m.Intn(32)] ^= 1 << uint(m.Intn(8))
	case way == 3:
		item.Proof = append(item.Proof, m.bytes(32))
	default:
		item.Root[m.Intn(32)] ^= 1 << uint(m.Intn(8))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ours, err := os.Open(os.Args[1])
	check(err)
	theirs, err := os.Create(os.Args[2])
	check(err)
	seed, err := strconv.ParseInt(os.Args[3], 10, 64)
	check(err)
	m := maker{rand.New(rand.NewSource(seed))}
	in, out := json.NewDecoder(bufio.NewReader(ours)), json.NewEncoder(theirs)
	judged, differ := map[string]int{}, 0
	for {
		var item Item
		if err := in.Decode(&item); err == io.EOF {
			break
		} else {
			check(err)
		}
		judged[fmt.Sprintf("%s %t", item.Kind, item.Valid)]++
		if err := judge(item); (err == nil) != item.Valid {
			differ++
			line, _ := json.Marshal(item)
			fmt.Println("Go:", err, string(line))
		}
		more := m.newProof
		if strings.Contains("note cosignature checkpoint", item.Kind) {
			more = m.newNote
		}
		own := more(item.Kind)
		if err := judge(own); (err == nil) != own.Valid {
			log.Fatal("Go of its own: ", err, own)
		}
		check(out.Encode(own))
	}
	check(theirs.Close())
	fmt.Println(judged)
	if differ > 0 {
		os.Exit(1)
	}
}
