"""What the benchmark prints and draws from the medians of its cells."""

import os
import subprocess
import tempfile

GNUPLOT_TIMEOUT_S = 60


def rate(value):
    """Operations per second, short."""
    if value >= 1e6:
        return f"{value / 1e6:.2f}M"
    if value >= 1e4:
        return f"{value / 1e3:.0f}k"
    if value >= 1e3:
        return f"{value / 1e3:.1f}k"
    return f"{value:.0f}"


def ratio(cell):
    if not cell or cell["ratio"] is None:
        return "-"
    low, high = cell["ratio_range"]
    return f"{cell['ratio']:.2f}x ({low:.2f}-{high:.2f})"


def columns(rows):
    """Rows of strings -> aligned lines; the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        first = row[0].ljust(widths[0])
        yield "  ".join([first] + [text.rjust(width) for text, width in zip(row[1:], widths[1:])]).rstrip()


def print_table(results, names, baseline):
    """results: {cell label: {variant: median or None}} in order."""
    head = ["ops/s"] + list(names) + [f"{name}/{baseline}" for name in names if name != baseline]
    rows = [head]
    for label, cells in results.items():
        row = [label]
        row += [rate(cells[name]["ops_per_s"]) if cells.get(name) else "failed" for name in names]
        row += [ratio(cells.get(name)) for name in names if name != baseline]
        rows.append(row)
    print("\n".join(columns(rows)))

    detail = [["us: p50 / p99, server CPU per op"] + list(names)]
    for label, cells in results.items():
        row = [label]
        for name in names:
            cell = cells.get(name)
            row.append(f"{cell['p50_us']:.1f} / {cell['p99_us']:.0f}, {cell['server_cpu_us_per_op']:.1f}"
                       if cell else "failed")
        detail.append(row)
    print()
    print("\n".join(columns(detail)))


def draw(results, names, baseline, path):
    """Bars of ops/s relative to the baseline, one group per cell. Raises OSError or SubprocessError."""
    data = tempfile.NamedTemporaryFile("w", suffix=".dat", delete=False)
    try:
        with data:
            for label, cells in results.items():
                found = [cells.get(name) for name in names]
                values = [f"{cell['ratio']:.4f}" if cell and cell["ratio"] is not None else "NaN" for cell in found]
                data.write(f"\"{label}\" {' '.join(values)}\n")
        plots = ", ".join(f"'{data.name}' using {i + 2}:xtic(1) title \"{name}\" noenhanced"
                          for i, name in enumerate(names))
        script = "\n".join([
            f"set terminal pngcairo size {max(800, 90 * len(results))},600 background '#ffffff'",
            f"set output '{path}'",
            f"set title \"operations per second, {baseline} = 1\" noenhanced",
            "set style data histogram", "set style histogram clustered gap 1", "set style fill solid 0.9",
            "set grid ytics", "set yrange [0:*]", "set key outside top center horizontal",
            "set xtics rotate by -35 noenhanced", f"plot {plots}, 1 with lines lc rgb '#888888' notitle", ""])
        subprocess.run(["gnuplot"], input=script, text=True, timeout=GNUPLOT_TIMEOUT_S, check=True)
    finally:
        os.unlink(data.name)
