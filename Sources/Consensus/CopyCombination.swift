/// Finds the bytes that a check accepts among corrupt copies of them.
///
/// Each byte is what most copies have, unreadable ones not counted. Where no value has a majority, all values that a copy has
/// are tried in turn, with all 256 values where no copy can be read, as long as that makes no more candidates than are
/// allowed. When it makes more, as where a whole sector of one of two copies was lost, neighbouring places are taken as one,
/// which is as one of the copies has it throughout; or, where what two copies lost adjoins, as one has it up to some place and
/// as another has it from there on. The check decides alone; a wrong result is as unlikely as a collision of its digest.
package struct CopyCombination {
    /// Places that are no further apart are taken as one in the second attempt, in bytes.
    private static let reach = 16

    /// Bytes on which the copies don't agree, and what may stand there.
    private struct Choice {
        var place: Range<Int>
        var options: [[UInt8]]
        /// Any option may also go over into any other one, after each byte but the last.
        var isSplit = false

        private var splits: Int { isSplit ? place.count - 1 : 0 }

        /// How many things may stand there; nil when there are too many to count.
        var count: Int? {
            let (pairs, isTooMany) = (options.count * (options.count - 1)).multipliedReportingOverflow(by: splits)
            return isTooMany ? nil : options.count + pairs
        }

        /// The options themselves come first.
        func value(_ number: Int) -> [UInt8] {
            guard number >= options.count else { return options[number] }
            let (pair, split) = (number - options.count).quotientAndRemainder(dividingBy: splits)
            let (first, second) = pair.quotientAndRemainder(dividingBy: options.count - 1)
            let other = second < first ? second : second + 1
            return Array(options[first][...split] + options[other][(split + 1)...])
        }
    }

    /// By copy: its bytes, nil where it has none.
    private let copies: [[UInt8?]]
    /// The bytes that are certain, with zeros elsewhere.
    private var bytes: [UInt8]
    /// Where the copies don't agree, or none has a byte; in order.
    private var open: [Int] = []
    /// The same, by place.
    private var isOpen: [Bool]

    /// `range`: the part of the copies that is to be found. `known`: by place in that part, bytes that are known for certain.
    package init(_ copies: [BlockCopy], _ range: Range<Int>, known: [Int: UInt8] = [:]) {
        self.copies = copies.map { $0.readable(range) }
        bytes = [UInt8](repeating: 0, count: range.count)
        isOpen = [Bool](repeating: false, count: range.count)
        for place in bytes.indices {
            if let byte = known[place] ?? agreed(at: place) {
                bytes[place] = byte
            } else {
                open.append(place)
                isOpen[place] = true
            }
        }
    }

    /// The byte that all copies have that have one.
    private func agreed(at place: Int) -> UInt8? {
        var agreed: UInt8?
        for copy in copies {
            guard let byte = copy[place] else { continue }
            guard agreed == nil || agreed == byte else { return nil }
            agreed = byte
        }
        return agreed
    }

    /// The first candidate that `accepts`, nil when there is none among the first `limit`, or there would be more.
    ///
    /// `changedFrom`: the first place at which the candidate differs from the one before it.
    package func find(atMost limit: Int, accepts: (_ candidate: [UInt8], _ changedFrom: Int) -> Bool) -> [UInt8]? {
        var left = limit
        if let found = find(open.map { $0..<$0 + 1 }, &left, accepts) { return found }
        let runs = runs()
        guard runs.count < open.count else { return nil }
        return find(runs, &left, accepts) ?? find(runs, isSplit: true, &left, accepts)
    }

    private func runs() -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for place in open {
            if let last = runs.last, place - last.upperBound < Self.reach {
                runs[runs.count - 1] = last.lowerBound..<place + 1
            } else {
                runs.append(place..<place + 1)
            }
        }
        return runs
    }

    private func find(
        _ places: [Range<Int>], isSplit: Bool = false, _ left: inout Int, _ accepts: ([UInt8], Int) -> Bool
    ) -> [UInt8]? {
        var candidate = bytes
        var choices: [Choice] = []
        var count = 1
        for place in places {
            let options = options(at: place)
            guard let first = options.first else { return nil }
            candidate.replaceSubrange(place, with: first)
            guard options.count > 1 else { continue }
            let choice = Choice(place: place, options: options, isSplit: isSplit)
            let (product, isTooMany) = count.multipliedReportingOverflow(by: choice.count ?? .max)
            guard !isTooMany, product <= left else { return nil }
            count = product
            choices.append(choice)
        }
        left -= count
        return Self.firstAccepted(candidate, choices, accepts)
    }

    /// What may stand there: one thing where a majority says so. What is certain in between is asked of no copy.
    private func options(at place: Range<Int>) -> [[UInt8]] {
        var votes: [(value: [UInt8], count: Int)] = []
        for copy in copies {
            let value = place.compactMap { isOpen[$0] ? copy[$0] : bytes[$0] }
            guard value.count == place.count else { continue }
            if let known = votes.firstIndex(where: { $0.value == value }) {
                votes[known].count += 1
            } else {
                votes.append((value, 1))
            }
        }
        guard let most = votes.map(\.count).max() else { return place.count == 1 ? (0...255).map { [$0] } : [] }
        let leading = votes.filter { $0.count == most }
        return leading.count == 1 ? [leading[0].value] : votes.map(\.value)
    }

    /// Tries all combinations, the last choice changing fastest.
    private static func firstAccepted(
        _ first: [UInt8], _ choices: [Choice], _ accepts: ([UInt8], Int) -> Bool
    ) -> [UInt8]? {
        var candidate = first
        let counts = choices.map { $0.count ?? .max }
        var taken = [Int](repeating: 0, count: choices.count)
        var changedFrom = 0
        while !accepts(candidate, changedFrom) {
            guard let turn = taken.indices.last(where: { taken[$0] + 1 < counts[$0] }) else { return nil }
            taken[turn] += 1
            for later in taken.indices where later > turn { taken[later] = 0 }
            for place in taken.indices where place >= turn {
                candidate.replaceSubrange(choices[place].place, with: choices[place].value(taken[place]))
            }
            changedFrom = choices[turn].place.lowerBound
        }
        return candidate
    }
}
