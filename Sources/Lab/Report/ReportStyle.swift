/// The style of reports and of the charts in them.
///
/// The colours of series are those of Okabe and Ito, which the colour-blind tell apart, darkened or lightened
/// for contrast; series differ by dashes and marks as well.
public enum ReportStyle {
    private static let light = [
        "#0072b2", "#d55e00", "#007a5a", "#b8518f", "#8a6d00", "#2f8fc4", "#333333", "#7a5195",
    ]
    private static let dark = [
        "#56b4e9", "#ff9142", "#2fc79a", "#e39ac6", "#f0d442", "#8ccbf2", "#dddddd", "#b79ae0",
    ]
    private static let dashes = ["none", "7 3", "2 3", "9 3 2 3", "none", "7 3", "2 3", "9 3 2 3"]

    public static let css =
        page + ":root{" + variables(light) + "}"
        + "@media(prefers-color-scheme:dark){:root{" + variables(dark)
        + "--back:#14171a;--text:#e4e6e8;--soft:#9aa3ab;--line:#343b42;--panel:#1c2126}}" + series

    private static func variables(_ colours: [String]) -> String {
        colours.enumerated().map { "--c\($0):\($1);" }.joined()
    }

    /// Lines, bands, bars and marks of each series.
    private static let series = dashes.enumerated().map { index, dash in
        ".s\(index){stroke:var(--c\(index));stroke-dasharray:\(dash);stroke-width:2;fill:none}"
            + ".b\(index){fill:var(--c\(index));opacity:.16;stroke:none}"
            + ".f\(index){fill:var(--c\(index))}"
            + ".m\(index){fill:var(--c\(index));stroke:var(--panel);stroke-width:.6}"
    }.joined()

    private static let page = """
        :root{--back:#fff;--text:#1d2327;--soft:#5b646c;--line:#d9dee2;--panel:#f7f8f9;color-scheme:light dark}
        *{box-sizing:border-box}
        body{margin:0;background:var(--back);color:var(--text);\
        font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        main{max-width:1080px;margin:0 auto;padding:1rem}
        h1{font-size:1.7rem;line-height:1.25}
        h2{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1.2rem}
        h3{margin-bottom:.3rem}
        a{color:var(--c0)}
        nav ul{columns:2;padding-left:1.2rem}
        pre{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:6px;\
        padding:.6rem .8rem;font-size:.85rem}
        .soft{color:var(--soft);font-size:.9rem}
        .verdict{border-left:5px solid var(--soft);background:var(--panel);padding:.5rem .8rem;\
        border-radius:0 6px 6px 0}
        .verdict strong,.overview strong{text-transform:capitalize;margin-right:.4rem}
        .overview{list-style:none;padding:0}
        .overview li{border-left:5px solid var(--soft);padding:.15rem .7rem;margin-bottom:.35rem}
        .overview a{color:inherit}
        .verdict span{color:var(--soft)}
        .confirmed,.overview .confirmed{border-color:var(--c2)}
        .not-confirmed,.overview .not-confirmed{border-color:var(--c1)}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,430px),1fr));gap:1rem}
        figure{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:8px;\
        padding:.7rem;min-width:0}
        figcaption{font-weight:600;margin-bottom:.3rem}
        figcaption span{display:block;font-weight:400;font-size:.85rem;color:var(--soft)}
        svg{display:block;width:100%;max-width:460px;height:auto;margin:0 auto}
        svg text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--text)}
        svg .label{fill:var(--soft)}svg .small{font-size:11px}
        svg .onlight{fill:#111}svg .ondark{fill:#fff}
        .grid{stroke:var(--line)}.axis{stroke:var(--soft)}.whisker{stroke:var(--text);stroke-width:1.3}
        .charts+details{margin-top:.8rem}
        details summary{cursor:pointer;color:var(--soft);font-size:.9rem}
        .table{overflow:auto;max-height:22rem}
        table{border-collapse:collapse;font-size:.82rem;width:100%}
        th,td{text-align:left;padding:.2rem .5rem;border-bottom:1px solid var(--line);white-space:nowrap}
        td.number{text-align:right;font-variant-numeric:tabular-nums}
        .table.samples{max-height:none}.samples th,.samples td{text-align:center}
        .samples img{image-rendering:pixelated;width:44px;height:44px;border-radius:3px}
        .samples td{padding:.15rem}
        @media(max-width:520px){nav ul{columns:1}main{padding:.6rem}}

        """
}
