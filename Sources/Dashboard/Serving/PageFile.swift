import Lab

/// A file of the page. They are part of the program: none is read from the disk.
package struct PageFile: Sendable {
    let type: String
    let bytes: [UInt8]

    package static let all: [String: PageFile] = [
        "/": PageFile("text/html", PackageResources.index_html),
        "/report.css": PageFile("text/css", Array(ReportStyle.css.utf8)),
        "/dashboard.css": PageFile("text/css", PackageResources.dashboard_css),
        "/main.js": PageFile("text/javascript", PackageResources.main_js),
        "/runs.js": PageFile("text/javascript", PackageResources.runs_js),
        "/chart.js": PageFile("text/javascript", PackageResources.chart_js),
        "/layers.js": PageFile("text/javascript", PackageResources.layers_js),
        "/format.js": PageFile("text/javascript", PackageResources.format_js),
        "/icon.svg": PageFile("image/svg+xml", PackageResources.icon_svg),
    ]

    private init(_ type: String, _ bytes: [UInt8]) {
        (self.type, self.bytes) = (type, bytes)
    }
}
