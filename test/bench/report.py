"""What the benchmark prints and draws from its medians."""

import os
import subprocess
import tempfile

import rows

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


def ratio(found):
    if not found:
        return "-"
    middle, low, high = found
    return f"{middle:.2f}x ({low:.2f}-{high:.2f})"


def columns(lines):
    """Rows of strings -> aligned lines; the first column to the left, the others to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        first = line[0].ljust(widths[0])
        yield "  ".join([first] + [text.rjust(width) for text, width in zip(line[1:], widths[1:])]).rstrip()


def detail(cell):
    """Latency and CPU of one cell's medians."""
    if not cell:
        return "failed"
    cpu = f"{cell['server_cpu_us_per_op']:.1f}+{cell['client_cpu_s_per_op'] * 1e6:.1f}"
    return f"{cell['p50_us']:.1f}/{cell['p99_us']:.0f}/{cell['max_us']:.0f}, {cpu}"


def print_table(results, names, baseline):
    """results: {cell label: {variant: median or None}} in order."""
    lines = [["ops/s"] + list(names) + [f"{name}/{baseline}" for name in names if name != baseline]]
    for label, cells in results.items():
        line = [label]
        line += [rate(cells[name]["ops_per_s"]) if cells.get(name) else "failed" for name in names]
        line += [ratio(cells[name]["ratio"] if cells.get(name) else None) for name in names if name != baseline]
        lines.append(line)
    print("\n".join(columns(lines)))
    print_details(results, names)


def print_details(results, names):
    lines = [["us: p50/p99/max, CPU per op server+client"] + list(names)]
    for label, cells in results.items():
        lines.append([label] + [detail(cells[name]) if name in cells else "-" for name in names])
    print()
    print("\n".join(columns(lines)))


def print_rows(measured, medians):
    """measured: [(Row, raw results)]; medians: {row name: {variant: median or None}}. Returns how many floors were
    missed."""
    lines = [["row", "libfuse3", "ring", "ratio", "must/aim", "", "device", "ratio", "must/aim", "", "dev_uring", "ratio"]]
    missed = 0
    for row, raw in measured:
        found, judged = rows.ratios(row, raw), rows.verdicts(row, raw)
        missed += list(judged.values()).count("MISSED")
        cells = medians[row.name]
        ops = {name: rate(cell["ops_per_s"]) if cell else "failed" for name, cell in cells.items()}
        has_device = rows.DEVICE in row.variants()
        lines.append([f"{row.name}: {row.text}", ops.get(rows.BASE, "-"),
                      ops.get(rows.RING, "-"), ratio(found.get(rows.RING)),
                      f"{row.must}/{row.aim}" if row.must else "-", judged[rows.RING],
                      ops.get(rows.DEVICE, "-"), ratio(found.get(rows.DEVICE)),
                      f"{rows.DEVICE_MUST}/{rows.DEVICE_AIM}" if has_device else "-", judged[rows.DEVICE],
                      ops.get(rows.DEVICE_URING, "-"), ratio(found.get(rows.DEVICE_URING))])
    print("\n".join(columns(lines)))
    print_details({row.name: medians[row.name] for row, _ in measured}, rows.VARIANTS)
    return missed


def print_commands(measured):
    print("\none row: test/bench/run --row NAME; its filesystem and client:")
    for row, _ in measured:
        variants = row.variants()
        print(f"{row.name}: {row.command('BUILD', variants[0])} DIR")
        for cell in row.cells():
            pin = " --pin" if cell.pinned else ""
            print(f"    bench_client --dir DIR --workload {cell.workload} --clients {cell.clients}{pin}")


def _gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, timeout=GNUPLOT_TIMEOUT_S, check=True)


def draw_bars(groups, names, marks, title, path):
    """Bars of ratios, one group for each label. groups: [(label, {name: number or None})]; marks: [(title, [number or
    None of each group])] are drawn as points over the groups. Raises OSError or SubprocessError."""
    def word(number):
        return "NaN" if number is None else f"{number:.4f}"
    data = tempfile.NamedTemporaryFile("w", suffix=".dat", delete=False)
    try:
        with data:
            for i, (label, numbers) in enumerate(groups):
                values = [numbers.get(name) for name in names] + [points[i] for _, points in marks]
                data.write(f"\"{label}\" {' '.join(map(word, values))}\n")
        plots = [f"'{data.name}' using {i + 2}:xtic(1) title \"{name}\" noenhanced" for i, name in enumerate(names)]
        plots += [f"'{data.name}' using 0:{len(names) + i + 2} with points pointtype {6 + i} pointsize 1.4 linewidth 2"
                  f" title \"{name}\"" for i, (name, _) in enumerate(marks)]
        _gnuplot("\n".join([
            f"set terminal pngcairo size {max(800, 90 * len(groups))},600 background '#ffffff'",
            f"set output '{path}'",
            f"set title \"{title}\" noenhanced",
            "set style data histogram", "set style histogram clustered gap 1", "set style fill solid 0.9",
            "set grid ytics", "set yrange [0:*]", "set key outside top center horizontal",
            "set xtics rotate by -35 noenhanced", f"plot {', '.join(plots)}, 1 with lines lc rgb '#888888' notitle",
            ""]))
    finally:
        os.unlink(data.name)


def draw(results, names, baseline, path):
    """The picture to print_table()."""
    groups = [(label, {name: cells[name]["ratio"][0] for name in names if cells.get(name) and cells[name]["ratio"]})
              for label, cells in results.items()]
    draw_bars(groups, names, [], f"operations per second, {baseline} = 1", path)


def draw_rows(measured, path):
    """The picture to print_rows()."""
    groups = [(row.name, {name: found[0] for name, found in rows.ratios(row, raw).items() if found})
              for row, raw in measured]
    marks = [("must of the ring", [row.must for row, _ in measured]), ("aim", [row.aim for row, _ in measured])]
    # gnuplot refuses a histogram without a single value.
    names = [name for name in rows.VARIANTS if any(name in numbers for _, numbers in groups)]
    draw_bars(groups, names, marks, "operations per second, the distribution's libfuse3 = 1", path)
