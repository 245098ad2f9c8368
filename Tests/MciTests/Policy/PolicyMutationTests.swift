// SPDX-License-Identifier: Apache-2.0

import Foundation
import Gate
import Policy
import Testing

@Suite struct PolicyMutationTests {
    private func policy(_ text: [UInt8]) throws(PolicyError) -> ManagedPolicy {
        try ManagedPolicy(text, path: "/p")
    }

    /// Whether more may be recorded, or less may be asked for, judged field by field and apart from
    /// ``Restrictions/stricter(_:)``.
    private func isLooser(_ new: ManagedPolicy, than old: ManagedPolicy) -> Bool {
        let order = ["off", "activity", "shortcuts", "classes", "full"]
        func rank(_ policy: ManagedPolicy) -> Int {
            order.firstIndex(of: policy.keyDetail?.rawValue ?? "full") ?? 9
        }
        func most(_ value: Int?) -> Int { value ?? Int.max }
        if rank(new) > rank(old) { return true }
        if most(new.retention) > most(old.retention) { return true }
        if most(new.ringSize) > most(old.ringSize) { return true }
        if old.titles == false, new.titles != false { return true }
        if old.syntheticKeys == false, new.syntheticKeys != false { return true }
        if most(new.pauseCap) < most(old.pauseCap) { return true }
        if old.companion == true, new.companion != true { return true }
        for rule in old.exclude where !new.exclude.contains(rule) { return true }
        if !old.only.isEmpty {
            if new.only.isEmpty { return true }
            for app in new.only where !old.only.contains(app) { return true }
        }
        for steward in new.stewards where !old.stewards.contains(steward) { return true }
        return false
    }

    @Test func `a policy with any single defect is refused with its line, or is another policy`()
        throws
    {
        let base = Array(Draft.policy.written().utf8)
        let original = try policy(base)
        let mutations = PolicyMutations().all.filter { $0.text != base }
        var (refused, stricter) = (0, 0)
        var looser: [PolicyMutation.Kind: Int] = [:]
        for mutation in mutations {
            let text = String(decoding: mutation.text, as: UTF8.self)
            let new: ManagedPolicy
            do throws(PolicyError) {
                new = try policy(mutation.text)
            } catch {
                refused += 1
                let first = try #require(error.defects.first)
                let line = try #require(first.line)
                let found = error.defects.contains { mutation.lines.contains($0.line ?? 0) }
                #expect(found, "\(mutation.kind) \(error)\n\(text)")
                #expect(error.description.hasPrefix("/p, line \(line): "))
                #expect(first.sentence.last.map { ".?".contains($0) || $0.isLetter } == true)
                #expect(first.sentence.count > 12, "\(first.sentence)")
                continue
            }
            #expect(!mutation.isRefused, "\(mutation.kind)\n\(text)")
            // Whatever is accepted is another policy: consent to the old one does not hold for it.
            #expect(new.hash != original.hash)
            if isLooser(new, than: original) {
                looser[mutation.kind, default: 0] += 1
                let changesMeaning: Set<PolicyMutation.Kind> = [.removed, .list, .byte]
                #expect(changesMeaning.contains(mutation.kind), "\(mutation.kind)\n\(text)")
            } else {
                stricter += 1
            }
        }
        print(
            "\(mutations.count) mutations: \(refused) refused with their line, \(stricter) accepted "
                + "and not looser, \(looser.values.reduce(0, +)) looser (a limit taken out: "
                + "\(looser[.removed] ?? 0), a part of a list: \(looser[.list] ?? 0), a byte within a "
                + "text: \(looser[.byte] ?? 0)); all accepted ones have another hash"
        )
        #expect(mutations.count > 1500 && refused > 1200)
        for kind in PolicyMutation.Kind.allCases {
            #expect(mutations.contains { $0.kind == kind }, "\(kind)")
        }
    }

    @Test func `the oracle of the mutations sees what is looser`() throws {
        let old = try policy(Array(Draft.policy.written().utf8))
        #expect(!isLooser(old, than: old))
        let changes: [(inout ManagedPolicy) -> Void] = [
            { $0.keyDetail = .full }, { $0.keyDetail = nil }, { $0.retention = nil },
            { $0.retention = 8 * 86_400 }, { $0.ringSize = nil }, { $0.titles = nil },
            { $0.titles = true }, { $0.syntheticKeys = nil }, { $0.pauseCap = 1800 },
            { $0.companion = false }, { $0.companion = nil },
            { $0.exclude.removeLast() },
            { $0.only = [] }, { $0.only += [Glob("x")].compactMap(\.self) },
            {
                $0.stewards += [StewardKey(bytes: [9] + [UInt8](repeating: 1, count: 31))]
                    .compactMap { $0.map { Steward(name: "x", key: $0) } }
            },
        ]
        for change in changes {
            var new = old
            change(&new)
            #expect(isLooser(new, than: old))
            #expect(
                ManagedPolicy.changes(from: old, to: new).map(\.direction).contains {
                    $0 != .stricter
                }
            )
            #expect(!isLooser(old, than: new) || new.exclude != old.exclude)
        }
    }

    @Test func `the JSON Schema accepts what we accept, and no structural defect`() throws {
        let folder = try TemporaryFolder()
        let examples = ["policy.example.json"].map { "\(Program.root)/Sources/Policy/\($0)" }
        var texts = try examples.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) }
        texts += [
            Array(Draft.policy.written().utf8),
            Array("{\"schema\":1,\"purpose\":\"p\",\"controller\":\"c\",\"contact\":\"x\"}".utf8),
        ]
        for text in texts { _ = try policy(text) }
        let mutations = PolicyMutations().all
        let lines = (texts + mutations.map(\.text)).map { Data($0).base64EncodedString() }
        try lines.joined(separator: "\n")
            .write(toFile: "\(folder.path)/texts", atomically: true, encoding: .utf8)
        let schema = "\(Program.root)/Sources/Policy/policy.schema.json"
        let result = try Program.python(
            """
            import base64, json, jsonschema
            schema = json.load(open('\(schema)'))
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            assert len(schema['examples']) == 2
            for example in schema['examples']: validator.validate(example)
            def refuse(name): raise ValueError(name)
            for line in open('texts').read().split('\\n'):
                try:
                    value = json.loads(base64.b64decode(line).decode('utf-8'), parse_constant=refuse)
                except (ValueError, RecursionError):
                    print('text')
                    continue
                print('valid' if validator.is_valid(value) else 'invalid')
            """,
            in: folder.path
        )
        #expect(result.code == 0, "\(result.errors.suffix(600))")
        let verdicts = result.lines
        try #require(verdicts.count == texts.count + mutations.count)
        #expect(verdicts.prefix(texts.count).allSatisfy { $0 == "valid" })
        var (both, neither, onlySchema) = (0, 0, 0)
        for (mutation, verdict) in zip(mutations, verdicts.dropFirst(texts.count)) {
            let text = String(decoding: mutation.text.prefix(4000), as: UTF8.self)
            let isOurs = (try? policy(mutation.text)) != nil
            if isOurs { #expect(verdict == "valid", "\(verdict)\n\(text)") }
            if mutation.isStructural { #expect(verdict == "invalid", "\(mutation.kind)\n\(text)") }
            switch (isOurs, verdict == "valid") {
            case (true, true): both += 1
            case (false, true): onlySchema += 1
            default: neither += 1
            }
        }
        print(
            "JSON Schema: \(mutations.count) mutations, \(both) accepted by both, \(neither) by "
                + "neither, \(onlySchema) by the schema alone (amounts, weak keys, doubled keys)"
        )
        #expect(neither > 1000 && both > 100)
    }
}
