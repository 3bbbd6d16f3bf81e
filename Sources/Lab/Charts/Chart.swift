/// A picture of numbers: drawn as SVG, and at hand as a table.
public struct Chart: Sendable {
    public var title: String
    /// What there is to see, in a sentence, for those who cannot.
    public var summary: String
    public var content: Content

    public enum Content: Sendable {
        case lines(Lines)
        case bars(Bars)
        case heatMap(HeatMap)
    }

    public init(_ title: String, summary: String, _ content: Content) {
        self.title = title
        self.summary = summary
        self.content = content
    }

    /// Lines over a common horizontal axis, each with bands around it: the spread over seeds, or
    /// percentiles of a distribution over time.
    public struct Lines: Sendable {
        public var xLabel: String
        public var yLabel: String
        var xScale = AxisScale.Kind.linear
        var yScale = AxisScale.Kind.linear
        public var lines: [Line]
        /// What the bands are, for the table and the legend.
        public var bandLabel = ""
        /// Values that the vertical axis reaches in any case.
        var yIncludes: [Double] = []

        public init(x: String, y: String, _ lines: [Line]) {
            (xLabel, yLabel, self.lines) = (x, y, lines)
        }
    }

    public struct Line: Sendable {
        public var name: String
        public var points: [Point]

        public init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
    }

    public struct Point: Sendable {
        public var x: Double
        public var y: Double
        /// From the outermost band to the innermost.
        public var bands: [ClosedRange<Double>]

        public init(_ x: Double, _ y: Double, bands: [ClosedRange<Double>] = []) {
            (self.x, self.y, self.bands) = (x, y, bands)
        }
    }

    /// Groups of bars, one group for each category.
    public struct Bars: Sendable {
        public var categories: [String]
        public var yLabel: String
        var yScale = AxisScale.Kind.linear
        public var series: [Series]

        /// One bar in each group; nil leaves a gap.
        public struct Series: Sendable {
            public var name: String
            public var values: [Bar?]

            package init(name: String, values: [Bar?]) { (self.name, self.values) = (name, values) }
        }

        public struct Bar: Sendable {
            public var value: Double
            public var range: ClosedRange<Double>?

            package init(value: Double, range: ClosedRange<Double>? = nil) {
                (self.value, self.range) = (value, range)
            }
        }

        public init(_ categories: [String], y: String, _ series: [Series]) {
            (self.categories, yLabel, self.series) = (categories, y, series)
        }
    }

    /// Cells in colours.
    public struct HeatMap: Sendable {
        public var xLabel: String
        public var yLabel: String
        public var columns: [String]
        public var rows: [String]
        /// `[row][column]`; nil is an empty cell.
        public var values: [[Double?]]
        public var valueLabel: String

        public init(
            x: String, y: String, columns: [String], rows: [String], values: [[Double?]],
            valueLabel: String
        ) {
            (xLabel, yLabel) = (x, y)
            (self.columns, self.rows, self.values) = (columns, rows, values)
            self.valueLabel = valueLabel
        }
    }

    /// The picture: an `svg` element that scales with the page and takes its colours from the page's style.
    public var svg: String {
        switch content {
        case .lines(let lines): LineDrawing(lines).svg(self)
        case .bars(let bars): BarDrawing(bars).svg(self)
        case .heatMap(let map): HeatMapDrawing(map).svg(self)
        }
    }

    /// What areas around lines mean; empty where there are none.
    var bands: [String] {
        guard case .lines(let lines) = content, !lines.bandLabel.isEmpty,
            lines.lines.contains(where: {
                $0.points.contains { $0.bands.contains { $0.lowerBound < $0.upperBound } }
            })
        else { return [] }
        return ["Shaded: \(lines.bandLabel)."]
    }

    /// The numbers of the picture.
    public var table: DataTable {
        switch content {
        case .lines(let lines): lines.table
        case .bars(let bars): bars.table
        case .heatMap(let map): map.table
        }
    }
}
