/// Columns of texts and numbers.
public struct DataTable: Sendable {
    public enum Cell: Sendable, Hashable {
        case text(String)
        case number(Double)
        case empty
    }

    public var columns: [String]
    public var rows: [[Cell]]

    public init(_ columns: [String], _ rows: [[Cell]]) {
        (self.columns, self.rows) = (columns, rows)
    }

    /// Comma-separated values as RFC 4180 has them, numbers with all their digits.
    public var csv: String {
        let lines =
            [columns.map(Self.quoted)]
            + rows.map { row in
                row.map { cell in
                    switch cell {
                    case .text(let text): Self.quoted(text)
                    case .number(let value): "\(value)"
                    case .empty: ""
                    }
                }
            }
        return lines.map { $0.joined(separator: ",") + "\r\n" }.joined()
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    /// More rows than this are thinned out on a page; CSV files have them all.
    static let maximumShownRows = 120

    /// As an HTML table.
    package var html: String {
        let every = (rows.count - 1) / Self.maximumShownRows + 1
        let head = columns.map { Markup.element("th", ["scope": "col"], Markup.escape($0)) }
        let body = rows.enumerated().filter { $0.offset % every == 0 }.map { _, row in
            let cells = row.enumerated().map { column, cell in
                switch cell {
                case .text(let text) where column == 0:
                    Markup.element("th", ["scope": "row"], Markup.escape(text))
                case .text(let text): Markup.element("td", [:], Markup.escape(text))
                case .number(let value):
                    Markup.element("td", ["class": "number"], NumberText.short(value))
                case .empty: "<td></td>"
                }
            }
            return Markup.element("tr", [:], cells.joined())
        }
        return Markup.element(
            "div", ["class": "table", "tabindex": "0"],
            Markup.element(
                "table", [:],
                "<thead><tr>\(head.joined())</tr></thead><tbody>\(body.joined())</tbody>"))
    }
}

extension Chart.Lines {
    /// A row for each horizontal position, a column for each line and the edges of its bands.
    package var table: DataTable {
        var columns = [xLabel]
        for line in lines {
            let name = line.name.isEmpty ? yLabel : line.name
            columns.append(name)
            let bands = line.points.first?.bands.count ?? 0
            for band in 0..<bands {
                let place = bands == 1 ? "" : " \(band + 1)"
                columns += ["\(name), low\(place)", "\(name), high\(place)"]
            }
        }
        var rows: [Double: [DataTable.Cell]] = [:]
        var column = 1
        for line in lines {
            let bands = line.points.first?.bands.count ?? 0
            for point in line.points {
                var row =
                    rows[point.x] ?? [.number(point.x)]
                    + Array(repeating: .empty, count: columns.count - 1)
                row[column] = .number(point.y)
                for (band, range) in point.bands.prefix(bands).enumerated() {
                    row[column + 1 + 2 * band] = .number(range.lowerBound)
                    row[column + 2 + 2 * band] = .number(range.upperBound)
                }
                rows[point.x] = row
            }
            column += 1 + 2 * bands
        }
        return DataTable(columns, rows.sorted { $0.key < $1.key }.map(\.value))
    }
}

extension Chart.Bars {
    var table: DataTable {
        let columns =
            ["category"]
            + series.map { $0.name.isEmpty ? yLabel : $0.name }.flatMap {
                [$0, "\($0), low", "\($0), high"]
            }
        let rows = categories.enumerated().map { index, category in
            [DataTable.Cell.text(category)]
                + series.flatMap { series -> [DataTable.Cell] in
                    guard let bar = series.values[index] else { return [.empty, .empty, .empty] }
                    guard let range = bar.range else {
                        return [.number(bar.value), .empty, .empty]
                    }
                    return [
                        .number(bar.value), .number(range.lowerBound), .number(range.upperBound),
                    ]
                }
        }
        return DataTable(columns, rows)
    }
}

extension Chart.HeatMap {
    var table: DataTable {
        DataTable(
            ["\(yLabel) / \(xLabel)"] + columns,
            zip(rows, values).map { name, row in
                [.text(name)] + row.map { $0.map { .number($0) } ?? .empty }
            })
    }
}
