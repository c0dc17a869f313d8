import Testing
import WireFormat

struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONValue { try JSONReader.read(Array(text.utf8)) }

    @Test(
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("\r\n\tfalse", .bool(false)), ("0", .number("0")), ("-0", .number("-0")),
            ("-12.50e+07", .number("-12.50e+07")), ("1E5", .number("1E5")),
            ("123456789012345678901234567890", .number("123456789012345678901234567890")),
            ("\"\"", .string("")), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{c}\n\r\t")),
            (#""\u0041\u00e9\u5b57\uD83D\uDE00\u0000x""#, .string("Aé字😀\u{0}x")), ("\"é字😀\u{7f}\"", .string("é字😀\u{7f}")),
            ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([])), ("{ }", .object([])),
        ] as [(String, JSONValue.Content)])
    func whatIsJSONIsAccepted(_ text: String, _ content: JSONValue.Content) throws {
        #expect(try read(text).content == content)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "NaN", "Infinity", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "--1", "1 2", "\"",
        "\"a", "'a'", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\", "\"\\u\"", "\"\n\"", "\"\u{0}\"", #""\ud800""#,
        #""\ud800x""#, #""\ud800\n""#, #""\ud800\u0041""#, #""\udc00""#, "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]",
        "{",
        "}", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{a:1}", "[}",
        "// x\n1",
        "1 //x", "/**/1", "\u{feff}1", "1\u{0}", "\u{a0}1",
    ])
    func whatIsNotJSONIsRefused(_ text: String) {
        #expect(throws: WireError.self) { try read(text) }
    }

    @Test(
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0x5c, 0x6e, 0xe9, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
        ] as [[UInt8]])
    func textThatIsNotUTF8IsRefused(_ bytes: [UInt8]) {
        #expect(throws: WireError.self) { try JSONReader.read(bytes) }
    }

    @Test func theErrorNamesThePlace() {
        #expect(throws: WireError("expected \":\" at byte 5")) { try read("{\"a\" 1}") }
        #expect(throws: WireError("expected the end at byte 2")) { try read("1 2") }
        #expect(throws: WireError("expected a value at byte 0")) { try read("") }
    }

    @Test func everyValueKnowsItsBytes() throws {
        let text = Array(#" { "a" : [ 1 , {"b" :null} ] , "c":"é\n" } "#.utf8)
        let root = try JSONReader.read(text)
        let members = try #require(root.members)
        let slice = { (value: JSONValue) in String(decoding: text[value.range], as: UTF8.self) }
        #expect(slice(root) == #"{ "a" : [ 1 , {"b" :null} ] , "c":"é\n" }"#)
        #expect(members.map(\.name) == ["a", "c"])
        #expect(members.map { slice($0.value) } == [#"[ 1 , {"b" :null} ]"#, #""é\n""#])
        #expect(try #require(members[0].value.items).map(slice) == ["1", #"{"b" :null}"#])
    }

    @Test func nestingIsBounded() throws {
        let depth = JSONReader.maximumDepth
        let nested = { (count: Int) in String(repeating: "[", count: count) + String(repeating: "]", count: count) }
        _ = try read(nested(depth))
        #expect(throws: WireError("nested deeper than 128 at byte 128")) { try read(nested(depth + 1)) }
        #expect(throws: WireError.self) { try read(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: WireError.self) { try read(String(repeating: "{\"a\":", count: 1_000_000)) }
        // One level is left when it ends, so that breadth is not depth.
        _ = try read("[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]")
    }

    @Test(
        arguments: [
            ("0", 0), ("18446744073709551615", .max), ("18446744073709551616", nil), ("-0", nil), ("-1", nil), ("1.0", nil),
            ("1e2", nil),
            ("\"1\"", nil),
        ] as [(String, UInt64?)])
    func onlyPlainWholeNumbersAreUnsigned(_ text: String, _ number: UInt64?) throws {
        #expect(try read(text).unsigned == number)
    }

    /// Whatever is accepted must, cut out by its own range, be accepted again as the same.
    @Test func garbageAndBrokenTextNeverCrash() throws {
        var dice = Dice(seed: 40)
        let valid = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00"],"b":{"c":"é😀"},"d":[[],{}]}"#.utf8)
        let alphabet = Array(#"{}[]:,"\u0123e+-.ntrx "#.utf8) + [0, 0x0a, 0x7f, 0xc3, 0xa9, 0xff]
        var accepted = 0
        for round in 0..<100_000 {
            var text = valid
            if round & 1 == 0 {
                for _ in 0...dice.below(3) { text[dice.below(text.count)] ^= 1 << UInt8(dice.below(8)) }
            } else {
                text = (0..<dice.below(12)).map { _ in alphabet[dice.below(alphabet.count)] }
            }
            guard let value = try? JSONReader.read(text) else { continue }
            accepted += 1
            if try JSONReader.read(Array(text[value.range])).content.kind != value.content.kind {
                Issue.record("\(text) reads two ways")
            }
        }
        #expect(accepted > 1000)
        for length in 0..<valid.count {
            #expect(throws: WireError.self) { try JSONReader.read(Array(valid.prefix(length))) }
        }
    }
}

extension JSONValue.Content {
    fileprivate var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): text
        case .string(let text): "\"\(text)"
        case .array(let items): "[\(items.map(\.content.kind))"
        case .object(let members): "{\(members.map { $0.name + ":" + $0.value.content.kind })"
        }
    }
}
