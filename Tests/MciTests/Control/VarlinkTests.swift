// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Control
@testable import Person

/// Messages and their answers, without sockets.
@Suite struct VarlinkTests {
    /// Answers a message; counts what is carried out.
    private func answer(_ message: String, _ calls: inout [ControlCall]) -> String? {
        var heard: [ControlCall] = []
        let answer = VarlinkService(version: "1").answer(Array(message.utf8)) {
            call throws(Refusal) in
            heard.append(call)
            if case .pause(let pause) = call, pause.seconds == 13 { throw Refusal("Unlucky.") }
            return ControlReply()
        }
        calls += heard
        return answer.map { String(decoding: $0.bytes.dropLast(), as: UTF8.self) }
    }

    @Test(
        arguments: [
            (
                #""method":"io.mci.Control.Forget","parameters":{"sinse":"x","dryRun":false}"#,
                "sinse"
            ),
            (
                #""method":"io.mci.Control.Forget","parameters":{"since":"2026-01-01T00:00:00Z","Until":"x","dryRun":true}"#,
                "Until"
            ),
            (
                #""method":"io.mci.Control.Forget","parameters":{"dryRun":false,"batch":[1]}"#,
                "batch"
            ),
            (#""method":"io.mci.Control.Forget","paramters":{"since":"x"}"#, "paramters"),
            (#""method":"io.mci.Control.Exempt","parameters":{"scope":{"ap":"x"}}"#, "scope.ap"),
            (
                #""method":"io.mci.Control.Exempt","parameters":{"scope":{"app":"x","titel":"y"}}"#,
                "scope.titel"
            ),
            (#""method":"io.mci.Control.Exempt","parameters":{"scop":{"app":"x"}}"#, "scop"),
            (#""method":"io.mci.Control.Exempt","parameters":{"seconds ":1}"#, "seconds "),
            (
                #""method":"io.mci.Control.Exclude","parameters":{"add":{"title":"y","x":1}}"#,
                "add.x"
            ),
            (
                #""method":"io.mci.Control.Exclude","parameters":{"drop":{"classe":"y"}}"#,
                "drop.classe"
            ),
            (
                #""method":"io.mci.Control.Exclude","parameters":{"add":{"askers":"y"}}"#,
                "add.askers"
            ),
            (
                #""method":"io.mci.Control.Exempt","parameters":{"scope":{"asker":"y"}}"#,
                "scope.asker"
            ),
            (#""method":"io.mci.Control.Pause","parameters":{"untill":"x"}"#, "untill"),
            (#""method":"io.mci.Control.Resume","parameters":{"at":"x"}"#, "at"),
            (#""method":"io.mci.Control.Pause","oneWay":true"#, "oneWay"),
            (#""method":"io.mci.Control.Pause","parameters":{"seconds":1.5}"#, "parameters"),
            (#""method":"io.mci.Control.Pause","parameters":["x"]"#, "parameters"),
            (#""method":"io.mci.Control.Forget","parameters":{}"#, "parameters"),
            (
                #""method":"io.mci.Control.Exempt","parameters":{"scope":"everything"}"#,
                "parameters"
            ),
        ]
    )
    func `what is misspelt is refused by its name, and nothing is done`(
        fields: String,
        name: String
    ) {
        var calls: [ControlCall] = []
        let answer = answer("{\(fields)}", &calls)
        #expect(
            answer
                == #"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"\#(name)"}}"#
        )
        #expect(calls.isEmpty)
    }

    @Test func `what a method has is taken, and absent or null parameters are none`() {
        var calls: [ControlCall] = []
        for text in [
            #"{"method":"io.mci.Control.Forget","parameters":{"since":null,"until":"u","dryRun":true}}"#,
            #"{"method":"io.mci.Control.Exempt","parameters":{"scope":{"app":"a","title":null},"reason":"r"}}"#,
            #"{"method":"io.mci.Control.Exempt","parameters":{"scope":null}}"#,
            #"{"method":"io.mci.Control.Exempt","parameters":null,"more":false,"upgrade":false}"#,
            #"{"method":"io.mci.Control.Resume","parameters":{}}"#,
            #"{"method":"io.mci.Control.Exclude","parameters":{"add":{"asker":"a"}}}"#,
            #"{"method":"io.mci.Control.Exclude","parameters":{"drop":{"asker":"a"}}}"#,
        ] {
            #expect(answer(text, &calls) == #"{"parameters":{}}"#)
        }
        #expect(
            calls == [
                .forget(.init(until: "u", dryRun: true)),
                .exempt(.init(scope: Scope(app: "a"), reason: "r")), .exempt(.init()),
                .exempt(.init()), .resume, .exclude(.init(add: Scope(asker: "a"))),
                .exclude(.init(drop: Scope(asker: "a"))),
            ]
        )
    }

    @Test(
        arguments: [
            .getStatus, .monitor, .pause(.init(until: "u", forgetSeconds: 3)), .resume, .withdraw,
            .forget(.init(batches: [1, 2], dryRun: true)), .exempt(.init(seconds: 4, reason: "r")),
            .listExemptions, .answerExemption(.init(id: 5, answer: "renew")),
            .decideExemption("{}"),
            .exclude(.init(only: [])), .explain, .reload, .flush,
        ] as [ControlCall]
    )
    func `a call is read as it was sent`(call: ControlCall) {
        var calls: [ControlCall] = []
        let sent = String(decoding: call.message(more: false).dropLast(), as: UTF8.self)
        #expect(answer(sent, &calls) == #"{"parameters":{}}"#)
        #expect(calls == [call])
    }

    @Test(arguments: [
        (#""method":"io.mci.Control.Pause""#, 1),
        (#""method":"io.mci.Control.Pause","parameters":{"seconds":13}"#, 1),
        (#""method":"io.mci.Control.Monitor","more":true"#, 1),
        (#""method":"io.mci.Control.Pause","parameters":{"untill":"x"}"#, 0),
        (#""method":"io.mci.Control.Pause","parameters":{"seconds":"x"}"#, 0),
        (#""method":"io.mci.Control.Fly""#, 0), (#""method":"io.other.Do""#, 0),
        (#""method":"org.varlink.service.GetInfo""#, 0),
        (#""method":"org.varlink.service.Fly""#, 0),
    ])
    func `a call that wants no answer gets none, also where it fails`(fields: String, done: Int) {
        var calls: [ControlCall] = []
        #expect(answer("{\(fields),\"oneway\":true}", &calls) == "")
        #expect(calls.count == done)
    }

    @Test func `the methods and their parameters are those that the interface describes`() throws {
        let text = try String(
            contentsOfFile: "\(Program.root)/Sources/Control/io.mci.Control.varlink",
            encoding: .utf8
        )
        let fields = /(\w+): \??(?:\[\])?(\w+)/
        var types: [String: [String]] = [:]
        for type in text.matches(of: /type (Scope|Exclusion) \(([^)]*)\)/) {
            types[String(type.1)] = type.2.matches(of: fields).map { String($0.1) }
        }
        #expect(types.count == 2)
        var described: [String: [String: [String]]] = [:]
        for method in text.matches(of: /(?m)^method (\w+)\(([^)]*)\)/) {
            let parameters = method.2.matches(of: fields).map { field in
                (String(field.1), types[String(field.2)] ?? [])
            }
            described[String(method.1)] = Dictionary(uniqueKeysWithValues: parameters)
        }
        let own = ControlCall.methods.map { ($0.name, $0.parameters) }
        #expect(described == Dictionary(uniqueKeysWithValues: own))
    }
}
