"""What a comparison found: a table with ratios beside the goals, the same as JSON, and a picture (SVG)."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from tests.bench.archives import MEASURES, Figures, Measure
from tests.bench.peers import KINDS, OURS, REFERENCE

_COLOURS = {OURS: "#0b6e69", REFERENCE: "#8a8f98", "dcmqrscp": "#b9bec7", "qrscp": "#dcdfe4"}
_ROW, _BAR, _LEFT, _WIDTH, _TOP = 64, 12, 330, 420, 70
_NAMES = tuple(kind.name for kind in KINDS)


def ratio(figures: Figures, measure: Measure, peer: str = REFERENCE) -> float | None:
    """How many times better ours is than ``peer``: above 1 is better, whichever way the measure runs."""
    ours, theirs = figures.median(measure, OURS), figures.median(measure, peer)
    if not ours or not theirs:
        return None
    return theirs / ours if measure.lower_is_better else ours / theirs


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _verdict(found: float | None, measure: Measure) -> str:
    if found is None or measure.goal is None:
        return ""
    if measure.aim is not None and found >= measure.aim:
        return "aim"
    return "goal" if found >= measure.goal else "below"


def table(figures: Figures) -> str:
    """Medians of each archive, ours as a ratio to Orthanc's, and what the ratio should be at least."""
    lines = [
        f"| measure | unit | {' | '.join(_NAMES)} | ratio to {REFERENCE} | at least | aim | |",
        f"|---|---|{'---:|' * len(_NAMES)}---:|---:|---:|---|",
    ]
    for measure in MEASURES:
        if measure.name not in figures.samples:
            continue
        found = ratio(figures, measure)
        cells = [measure.name, measure.unit, *(_number(figures.median(measure, name)) for name in _NAMES)]
        cells += [_number(found), *("" if goal is None else f"{goal:g}" for goal in (measure.goal, measure.aim))]
        lines.append(f"| {' | '.join(cells)} | {_verdict(found, measure)} |")
    lines += ["", *(f"Wrong: {words}" for words in figures.wrong)] if figures.wrong else []
    return "\n".join(lines)


def as_json(figures: Figures) -> dict[str, object]:
    """Every sample, with the ratios and goals beside them."""
    return {
        "measures": {
            measure.name: {
                "unit": measure.unit,
                "samples": figures.samples[measure.name],
                "ratio": ratio(figures, measure),
                "goal": measure.goal,
                "aim": measure.aim,
            }
            for measure in MEASURES
            if measure.name in figures.samples
        },
        "wrong": figures.wrong,
    }


def picture(figures: Figures) -> str:
    """Bars, longer is better: each archive against the best of its line."""
    shown = [measure for measure in MEASURES if len(figures.samples.get(measure.name, {})) > 1]
    height = _TOP + _ROW * len(shown) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 190}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#1c2733">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        '<text x="16" y="28" font-size="17" font-weight="600">Archives side by side, one run</text>',
        '<text x="16" y="48" fill="#5d6873">Medians; longer is better.</text>',
    ]
    for place, name in enumerate(_NAMES):
        x = _LEFT + place * 105
        parts.append(f'<rect x="{x}" y="36" width="12" height="12" fill="{_COLOURS[name]}"/>')
        parts.append(f'<text x="{x + 18}" y="47">{escape(name)}</text>')
    for row, measure in enumerate(shown):
        parts += _bars(figures, measure, _TOP + row * _ROW)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bars(figures: Figures, measure: Measure, top: int) -> list[str]:
    values = {name: value for name in _NAMES if (value := figures.median(measure, name))}
    better = {name: 1 / value if measure.lower_is_better else value for name, value in values.items()}
    best = max(better.values())
    found = ratio(figures, measure)
    label = "" if found is None else f"{found:.1f} × {REFERENCE}"
    if measure.goal is not None:
        label += f", at least {measure.goal:g}"
    parts = [
        f'<text x="16" y="{top + 22}">{escape(measure.name)}</text>',
        f'<text x="16" y="{top + 40}" fill="#5d6873" font-size="12">{escape(label)}</text>',
    ]
    for place, (name, value) in enumerate(values.items()):
        y, width = top + 6 + place * (_BAR + 1), max(_WIDTH * better[name] / best, 1)
        parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{_COLOURS[name]}"/>')
        words = f"{_number(value)} {escape(measure.unit)}"
        parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{y + 10}" font-size="11">{words}</text>')
    return parts


def write(figures: Figures, data: dict[str, object], json_file: Path, picture_file: Path) -> None:
    """Both files."""
    json_file.write_text(json.dumps(data, indent=2) + "\n")
    picture_file.write_text(picture(figures))
