"""What it costs to start `tinyml`, as multiples of `python -c "import numpy"`.

    python benchmarks/startup.py [RUNS]

Processor time is user plus system time of the whole process and its threads, in medians of RUNS
(default 15) runs that take turns, so that a busy machine slows all of them alike. One run before
them fills the caches: bytecode is there afterwards, as an installer leaves it. Exits with 1 if a
limit is exceeded. Needs the package installed or its folders in PYTHONPATH; POSIX only.
"""

import os
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TINYML = ("-m", "tinyml_cli")


class Case(NamedTuple):
    """A command and the limits that it has to keep."""

    name: str
    arguments: tuple[str, ...]
    most_times_numpy: float | None = None
    most_megabytes: float | None = None


class Cost(NamedTuple):
    """What one process took."""

    cpu_seconds: float
    peak_megabytes: float


BASELINE = Case("python -c 'import numpy'", ("-c", "import numpy"))
DIGITS, LARGER = "digits.tflite", "shapes/vww_mobilenet_v1.tflite"
CASES = (
    BASELINE,
    Case("tinyml --help", (*TINYML, "--help"), 1.6),
    Case(f"tinyml run {DIGITS}", (*TINYML, "run", str(EXAMPLES / DIGITS)), 2.5),
    Case(f"tinyml run {DIGITS} --json", (*TINYML, "run", str(EXAMPLES / DIGITS), "--json"), 2.5),
    Case(
        f"tinyml run {Path(LARGER).name}",
        (*TINYML, "run", str(EXAMPLES / LARGER)),
        most_megabytes=80,
    ),
    Case(f"tinyml plan {Path(LARGER).name}", (*TINYML, "plan", str(EXAMPLES / LARGER)), 3.0),
    Case(
        f"tinyml plan {Path(LARGER).name} --json",
        (*TINYML, "plan", str(EXAMPLES / LARGER), "--json"),
        3.0,
    ),
    Case(
        f"tinyml profile {Path(LARGER).name}",
        (*TINYML, "profile", str(EXAMPLES / LARGER), "--target", "nucleo-l4r5zi"),
        3.5,
    ),
)


def measure(case: Case, environment: dict[str, str]) -> Cost:
    """Run the command once, without its output; SystemExit if it fails."""
    silent = [
        (os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0)
        for stream in (sys.stdout.fileno(), sys.stderr.fileno())
    ]
    command = [sys.executable, *case.arguments]
    process = os.posix_spawn(sys.executable, command, environment, file_actions=silent)
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{case.name} failed; run it by hand to see why")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**20)


def verdict(case: Case, times_numpy: float, megabytes: float) -> str:
    """Whether the limits of a case are kept, in words."""
    words: list[str] = []
    for value, limit, unit in (
        (times_numpy, case.most_times_numpy, "x"),
        (megabytes, case.most_megabytes, " MB"),
    ):
        if limit is not None:
            words.append(f"{'ok, ' if value <= limit else 'OVER '}limit {limit:g}{unit}")
    return "; ".join(words)


def main(runs: int) -> int:
    """Measure all cases in turns and print a line for each."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for case in CASES:
        measure(case, environment)
    costs = [[measure(case, environment) for case in CASES] for _ in range(runs)]
    lines: list[str] = []
    baseline = statistics.median(turn[0].cpu_seconds for turn in costs)
    for case, column in zip(CASES, zip(*costs, strict=True), strict=True):
        seconds = statistics.median(cost.cpu_seconds for cost in column)
        megabytes = max(cost.peak_megabytes for cost in column)
        words = verdict(case, seconds / baseline, megabytes)
        figures = f"{1e3 * seconds:7.1f} ms {seconds / baseline:6.2f}x {megabytes:6.1f} MB"
        lines.append(f"{case.name:<38} {figures}   {words}".rstrip())
    print("\n".join(lines))
    return int(any("OVER" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
