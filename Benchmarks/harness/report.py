"""Tables for people, JSON for programs."""

import datetime
import json
from dataclasses import dataclass


@dataclass
class Goal:
    """A ratio that should not fall below a bound."""

    text: str
    ratio: float | None
    bound: float

    @property
    def met(self):
        return self.ratio is not None and self.ratio >= self.bound


def table(race):
    ours = race.winner("EvenKeel")
    rows = [("", race.unit, "best", "spread", "EvenKeel is")]
    for entry in race.entries:
        if not entry.values:
            rows.append((entry.name, "-", "", "", entry.unavailable or "did not run"))
            continue
        spread = (max(entry.values) - min(entry.values)) / entry.median
        ratio = None if entry.family == "EvenKeel" else race.ratio(ours, entry)
        rows.append(
            (
                entry.name,
                number(entry.median * race.scale),
                number(entry.best(race.higher) * race.scale),
                f"{spread:.0%}",
                f"{ratio:.2f} times as fast" if ratio else "",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [race.title]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [row[c].rjust(widths[c]) for c in range(1, 4)]
        lines.append(("  " + "  ".join(cells) + "  " + row[4]).rstrip())
    return "\n".join(lines)


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"


def goals_table(goals):
    lines = ["Goals"]
    for goal in goals:
        measured = "not measured" if goal.ratio is None else f"{goal.ratio:.2f}"
        mark = "met" if goal.met else ("" if goal.ratio is None else "MISSED")
        lines.append(f"  {goal.text}: {measured} (at least {goal.bound:.2f}) {mark}".rstrip())
    return "\n".join(lines)


def write(folder, machine, races, goals):
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    content = {
        "time": now.isoformat(timespec="seconds"),
        "machine": machine,
        "races": [
            {
                "title": race.title,
                "key": race.key,
                "contestants": [
                    {
                        "name": entry.name,
                        "family": entry.family,
                        "median": entry.median,
                        "values": entry.values,
                        "details": entry.details[-1] if entry.details else None,
                        "unavailable": entry.unavailable,
                    }
                    for entry in race.entries
                ],
            }
            for race in races
        ],
        "goals": [
            {"text": goal.text, "ratio": goal.ratio, "bound": goal.bound, "met": goal.met}
            for goal in goals
        ],
    }
    text = json.dumps(content, indent=1) + "\n"
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(text)
    (folder / "latest.json").write_text(text)
    return path
