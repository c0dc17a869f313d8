/// Rows of text in aligned columns.
struct TextTable {
    enum Alignment {
        case left
        case right
    }

    struct Column {
        var title: String
        var alignment: Alignment

        init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    /// Longer cells are cut, so that one long name does not push everything off the screen.
    static let widest = 44

    let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row of \(cells.count) cells in a table of \(columns.count) columns")
        rows.append(cells.map(Self.printable))
    }

    /// A line with the titles, then a line a row, each with its end.
    var text: String {
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line(of: $0, widths) + "\n" }.joined()
    }

    private func line(of cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (place, cell) in cells.enumerated() {
            if place > 0 { line += "  " }
            let padding = String(repeating: " ", count: widths[place] - cell.count)
            switch columns[place].alignment {
            case .left: line += cell + padding
            case .right: line += padding + cell
            }
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// Without what would move a terminal's cursor or not be seen, and not too long.
    static func printable(_ text: String) -> String {
        let clean = String(text.unicodeScalars.map { $0.isUnseen ? "\u{FFFD}" : Character($0) })
        return clean.count <= widest ? clean : clean.prefix(widest - 1) + "…"
    }
}
