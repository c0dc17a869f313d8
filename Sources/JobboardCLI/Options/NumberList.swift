import ArgumentParser

/// `1,16,64` as an argument.
struct NumberList: ExpressibleByArgument {
    var numbers: [Int]

    init(numbers: [Int]) {
        self.numbers = numbers
    }

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.allSatisfy({ $0.map { (1...65_536).contains($0) } ?? false }) else { return nil }
        self.numbers = numbers.compactMap(\.self)
    }

    var defaultValueDescription: String {
        numbers.map(String.init).joined(separator: ",")
    }
}
