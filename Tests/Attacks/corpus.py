# SPDX-License-Identifier: Apache-2.0
"""English prose out of Debian packages: some millions of words, and what a key of each character is.

The packages are those of `.ci/packages --list attack`; they are fetched and unpacked, never installed.
"""
import bz2, gzip, html, lzma, pathlib, re, subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENERS = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
TEXTS = {".txt", ".html", ".htm", ".rst", ".pod", ".3perl", ".1", ".7"}


def unpacked(folder):
    """The packages' files under a folder, fetched where they are not there yet."""
    names = subprocess.run(["bash", str(ROOT / ".ci/packages"), "--list", "attack"], check=True,
                           capture_output=True, text=True).stdout.split()
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (folder / name).exists(): continue
        subprocess.run(["apt-get", "download", "-qq", name], cwd=folder, check=True)
        archive, = folder.glob(f"{name}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, folder / name], check=True)
        archive.unlink()
    return [folder / name for name in names]


def prose(text, is_html):
    """The paragraphs of a file that are sentences: markup, code and tables are left out."""
    if is_html:
        text = re.sub(r"(?is)<(script|style|pre|head)\b.*?</\1>", "\n\n", text)
        text = re.sub(r"(?i)</?(?:p|div|li|h\d|dd|dt|tr|br|table|ul|ol)\b[^>]*>", "\n\n", text)
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    for part in re.split(r"\n\s*\n", text):
        part = " ".join(part.split())
        words = part.split(" ")
        plain = sum(word.strip(".,;:!?()'\"").isalpha() for word in words)
        if len(words) >= 12 and part[-1:] in ".:!?" and plain > 0.8 * len(words) and part.isascii():
            yield part


def paragraphs(folders):
    """Every paragraph once, in an order that does not depend on the machine."""
    seen = set()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            suffixes = [suffix for suffix in path.suffixes if suffix not in OPENERS]
            if not path.is_file() or path.is_symlink() or suffixes[-1:] and suffixes[-1] not in TEXTS:
                continue
            try:
                with OPENERS.get(path.suffix, open)(path, "rt", errors="ignore") as file: text = file.read()
            except (OSError, EOFError, lzma.LZMAError):
                continue
            for paragraph in prose(text, ".htm" in "".join(path.suffixes) or "<p>" in text[:4000]):
                if paragraph not in seen:
                    seen.add(paragraph)
                    yield paragraph


def key_class(character):
    """The letter of a plan for the class of the key that writes a character."""
    if character == " ": return "s"
    return "l" if character.isalpha() else "d" if character.isdigit() else "p"


PATTERN = str.maketrans({chr(code): key_class(chr(code)) for code in range(32, 127)})


def pattern(text):
    """The classes of a text, a letter a key."""
    return text.translate(PATTERN)
