import Foundation
import FoundationXML
import Testing

import Lab

@Suite("Charts")
struct ChartTests {
    static let samples: [Chart] = [
        Chart(
            "Lines & <more>", summary: "\"quoted\"",
            .lines(
                Chart.Lines(
                    x: "step", y: "loss",
                    [
                        Chart.Line(
                            "a", (0..<1000).map { Chart.Point(Double($0), sin(Double($0))) }),
                        Chart.Line(
                            "b",
                            [
                                Chart.Point(0, 1, bands: [0...2]), Chart.Point(5, .nan),
                                Chart.Point(9, .infinity), Chart.Point(12, -3, bands: [-4 ... -2]),
                            ]),
                        Chart.Line("nothing", []),
                    ]))),
        Chart(
            "Bars", summary: "",
            .bars(
                Chart.Bars(
                    ["one", "two"], y: "seconds",
                    [
                        .init(name: "x", values: [.init(value: 1, range: 0.5...2), nil]),
                        .init(
                            name: "y",
                            values: [.init(value: -1, range: nil), .init(value: 0, range: 0...0)]),
                    ]))),
        Chart(
            "Map", summary: "",
            .heatMap(
                Chart.HeatMap(
                    x: "u", y: "v", columns: ["1", "2", "3"], rows: ["p", "q"],
                    values: [[1, nil, .nan], [4, 5, .infinity]], valueLabel: "w"))),
        Chart("Empty", summary: "", .lines(Chart.Lines(x: "", y: "", []))),
        Chart("Flat", summary: "", .lines(Chart.Lines(x: "", y: "", [.init("c", [.init(1, 7)])]))),
    ]

    @Test(
        "Every picture is well formed, has a title, and nothing in it is not a number",
        arguments: 0..<5)
    func wellFormed(index: Int) {
        let svg = Self.samples[index].svg
        let parser = XMLParser(data: Data(svg.utf8))
        #expect(parser.parse(), "\(svg.prefix(300))")
        #expect(svg.contains("<title>") && svg.contains("<desc>"))
        let drawn = svg.split(separator: "<desc>").last ?? ""
        #expect(!drawn.contains("nan") && !drawn.contains("inf,"))
        for name in ["x", "y", "x1", "y1", "width", "height"] {
            for part in svg.components(separatedBy: " \(name)=\"").dropFirst() {
                let number = part.prefix { $0 != "\"" }
                #expect(Double(number)?.isFinite == true, "\(name)=\(number)")
            }
        }
    }

    @Test("Names from outside cannot become markup")
    func escaping() {
        let svg = Self.samples[0].svg
        #expect(svg.contains("Lines &amp; &lt;more&gt;") && !svg.contains("<more>"))
        #expect(!DataTable(["<b>"], [[.text("<script>")]]).html.contains("<script>"))
    }

    @Test("Fewer points keep the ends, the extremes and the order")
    func downsampling() {
        var points = (0..<5000).map { Chart.Point(Double($0), cos(Double($0) / 50)) }
        points[1234].y = 40
        points[4321].y = -40
        let reduced = Downsampling.reduced(points)
        #expect(reduced.count <= Downsampling.maximumCount)
        #expect(reduced.map(\.x) == reduced.map(\.x).sorted())
        #expect(reduced.first?.x == 0 && reduced.last?.x == 4999)
        #expect(reduced.contains { $0.y == 40 } && reduced.contains { $0.y == -40 })
        #expect(Downsampling.reduced(Array(points.prefix(100))).count == 100)
    }

    @Test("Axes hold what they show", arguments: [AxisScale.Kind.linear, .logarithmic])
    func axes(kind: AxisScale.Kind) {
        let sets: [[Double]] = [
            [0.001, 1000], [3], [2, 2], [1e-12, 1e12], [0.2, 0.21], [5, 7, 6], [1e-300, 1e-290],
        ]
        for values in sets {
            let scale = AxisScale(kind, values: values)
            #expect(!scale.ticks.isEmpty && scale.ticks == scale.ticks.sorted(), "\(values)")
            #expect(scale.ticks.count < 16, "\(values) \(scale.ticks)")
            for value in values {
                let place = scale.position(value)
                #expect(place.map { (-1e-9...1 + 1e-9).contains($0) } == true, "\(values)")
            }
        }
        #expect(AxisScale(.logarithmic, values: [1, 10]).position(0) == nil)
        #expect(AxisScale(kind, values: [.nan, .infinity]).position(.nan) == nil)
    }

    @Test("Tables have every number, in the order of their columns")
    func tables() {
        let lines = Chart.Lines(
            x: "x", y: "y",
            [
                Chart.Line("a", [Chart.Point(2, 20), Chart.Point(1, 10)]),
                Chart.Line("b,\"c\"", [Chart.Point(1, 5, bands: [4...6])]),
            ])
        #expect(
            lines.table.csv
                == "x,a,\"b,\"\"c\"\"\",\"b,\"\"c\"\", low\",\"b,\"\"c\"\", high\"\r\n"
                + "1.0,10.0,5.0,4.0,6.0\r\n2.0,20.0,,,\r\n")
    }

    @Test(
        "Numbers are short and right",
        arguments: [
            (0.0, "0"), (1, "1"), (-2.5, "-2.5"), (0.12345, "0.1235"), (123456, "123456"),
            (1.5e-7, "1.5e-7"), (3.14159e9, "3.142e9"), (1e-4, "1e-4"), (99.999, "100"),
            (.infinity, "∞"), (.nan, "–"),
        ])
    func numbers(value: Double, text: String) {
        #expect(NumberText.short(value) == text)
    }
}
