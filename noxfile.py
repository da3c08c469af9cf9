"""All checks of the project, one session each: the same here and in CI.

    python3 noxfile.py check                     every check
    python3 noxfile.py demo                      see the library at work
    python3 noxfile.py lint                      one session by its name; --list shows them all
    python3 noxfile.py tests-3.12 -- -k branch   what follows -- goes to the session's tool

Nothing is needed but Python and its pip: run as a script, this file first installs nox into `.nox/bootstrap`.
Where nox is installed anyway, plain `nox`, `nox -s demo` and so on do the same.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have an older one, and should be told in a sentence
    sys.stderr.write("noxfile.py needs Python 3.11 or newer; this is {}.{}.\n".format(*sys.version_info))
    sys.exit(2)

import json
import os
import shutil
import subprocess
import sysconfig
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
NOX = "nox==2026.10.20"
PYTHON = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"  # in a virtual environment


def bootstrap(arguments: list[str]) -> int:
    """Run nox, installed the first time, with these arguments: `check`, names of sessions, or options of nox."""
    home = ROOT / ".nox" / "bootstrap"
    python = home / PYTHON
    installed = home / "installed.txt"  # written last, so that an interrupted installation is begun again
    if not installed.exists() or installed.read_text() != NOX:
        print(f"Installing {NOX} into {home.relative_to(ROOT)} …", flush=True)
        venv.create(home, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", NOX], check=True)
        installed.write_text(NOX)
    if arguments[:1] == ["check"]:
        arguments = arguments[1:]
    elif arguments and not arguments[0].startswith("-"):
        arguments = ["--session", *arguments]
    return subprocess.run([python, "-m", "nox", "--noxfile", __file__, *arguments], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(bootstrap(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"noxfile.py could not install nox: {error}")

import nox
from python_discovery import get_interpreter

PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)


def select_in_pyenv(pythons: list[str]) -> None:
    """Let every one of these that pyenv has be found: its shims run only the versions that are selected."""
    if shutil.which("pyenv") is None:
        return
    listing = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False).stdout
    newest = {version.rpartition(".")[0]: version for version in listing.split()}  # listed from old to new
    selected = os.environ.get("PYENV_VERSION", "").split(":")
    wanted = [*selected, *(newest[python] for python in pythons if python in newest)]
    os.environ["PYENV_VERSION"] = ":".join(dict.fromkeys(filter(None, wanted)))


select_in_pyenv(PYTHONS)
INSTALLED = [python for python in PYTHONS if get_interpreter(python)]

DEMO = "examples/audit.py:audit"
DEMO_INPUT = json.dumps({"root": sysconfig.get_path("stdlib")})  # many files, and every machine has them

LONG = (  # tests that take long, and whose answer is the same on every Python
    "tests/docs",
    "tests/durable/crash",
    "tests/interpreter/test_random_plans.py",
    "tests/model",
    "tests/nesting",
    "tests/testing/test_plugin.py",
    "tests/testing/test_strategies.py",
)
PARALLEL = ("-n", "auto")  # as many processes as the machine has cores
FULLY_COVERED = ("plan", "interpreter", "dsl", "runtime", "journal")

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False  # `build` says which are missing, and fails if all are


def group(*names: str) -> tuple[str, ...]:
    """Return the requirements in these dependency groups of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, *names)


def built(session: nox.Session) -> Path:
    """Return the folder that `build` fills."""
    return session.cache_dir / "dist"


def install_wheel(session: nox.Session, *groups: str, extras: str = "cli") -> None:
    """Install what `build` built, with these extras and dependency groups, and leave the source tree.

    The session goes on in a copy of the project that has everything but the package: no way of importing
    `orchestration` can then find the source instead of what a user would install.
    """
    (wheel,) = built(session).glob("*.whl")
    session.install(f"{wheel}[{extras}]", *group(*groups))
    session.install("--force-reinstall", "--no-deps", str(wheel))  # pip keeps an older build of the same version

    away = session.cache_dir / "away" / session.name
    shutil.rmtree(away, ignore_errors=True)
    shutil.copytree(
        ROOT,
        away,
        ignore=lambda folder, names: [
            name for name in names if Path(folder) == ROOT and (name.startswith(".") or name == "orchestration")
        ],
    )
    session.chdir(away)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and the layers of the architecture."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """The package, the examples and this file, under mypy and pyright; what an editor shows of a workflow."""
    session.install("-e", ".[cli,temporal]", NOX, *group("types", "tests"))
    session.run("mypy")
    session.run("pyright", "orchestration", "examples", "pytest_orchestration.py")
    session.run(
        "pyright", "--verifytypes", "orchestration", "--ignoreexternal", silent=True
    )  # long, if nothing is wrong
    session.run("pytest", "tests/typed/test_language_server.py")


@nox.session
def typecheck(session: nox.Session) -> None:
    """What four type checkers must accept, refuse and say of the public surface; -- --write keeps what they say."""
    session.install("-e", ".[cli,testing]", *group("typecheck"))
    session.run("python", "-m", "typecheck.check", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """The wheel, by way of the source distribution, once for all sessions that test it."""
    if not INSTALLED:
        session.error(f"The tests need one of Python {', '.join(PYTHONS)}: none is installed.")
    for python in sorted(set(PYTHONS) - set(INSTALLED)):
        session.warn(f"Python {python} is not installed: its tests are SKIPPED.")
    session.install(*group("build"))
    shutil.rmtree(built(session), ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(built(session)), silent=True)
    (wheel,) = built(session).glob("*.whl")
    if "orchestration/py.typed" not in zipfile.ZipFile(wheel).namelist():
        session.error(f"{wheel.name} has no orchestration/py.typed: type checkers would see a package without types.")


@nox.session(python=PYTHONS, requires=["build"])
def tests(session: nox.Session) -> None:
    """The tests against the built wheel; on the newest Python that is installed, with the coverage of branches.

    What takes long and depends on no Python is tried on the oldest only: see `LONG`.
    Coverage is measured on the newest, because before 3.12 what a coroutine does right after a cancel is not traced;
    there the Temporal engine is tested as well, against real servers (`temporal` tries more of the same).
    """
    if session.python in INSTALLED[-1:]:
        install_wheel(session, "tests", "temporal", extras="cli,temporal")
    else:
        install_wheel(session, "tests")
    left_out = [] if session.python in INSTALLED[:1] else [f"--ignore={path}" for path in LONG]
    if session.posargs or session.python not in INSTALLED[-1:]:
        session.run("pytest", *PARALLEL, *(session.posargs or left_out))
        return
    session.env["COVERAGE_FILE"] = str(ROOT / ".coverage")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *PARALLEL, *left_out)
    session.chdir(ROOT)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--skip-empty")
    core = ",".join(f"orchestration/{package}/*" for package in FULLY_COVERED)
    session.log("The core has to be covered wholly:")
    session.run("coverage", "report", f"--include={core}", "--fail-under=100")


@nox.session(default=False)
def temporal(session: nox.Session) -> None:
    """The Temporal engine on real servers: 500 random workflows, a map of 20,000 items, workers killed in turn.

    TEMPORAL_EXAMPLES, TEMPORAL_ITEMS and TEMPORAL_KILLS are for other numbers; of the first, twice as many are run.
    """
    session.install("-e", ".[cli,temporal]", *group("tests", "temporal"))
    for name, number in {"TEMPORAL_EXAMPLES": "250", "TEMPORAL_ITEMS": "20000", "TEMPORAL_KILLS": "4"}.items():
        session.env.setdefault(name, os.environ.get(name, number))
    session.run("pytest", *PARALLEL, "tests/temporal", "-o", "faulthandler_timeout=0", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation; a broken link is an error."""
    session.install("-e", ".[cli]", *group("docs"))  # the pictures are drawn by the library itself
    session.run("mkdocs", "build", "--strict", "--site-dir", str(session.cache_dir / "site"))


@nox.session(requires=["build"])
def examples(session: nox.Session) -> None:
    """The examples: their tests, and the demo."""
    install_wheel(session, "tests", "cluster")
    if Path("tests/examples").is_dir():
        session.run("pytest", "tests/examples")
    session.run("orchestration", "run", DEMO, "--input", DEMO_INPUT)


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """See the library at work: audit the standard library of this Python."""
    session.install(".[cli]")
    session.run("orchestration", "run", DEMO, "--input", DEMO_INPUT)


@nox.session(default=False)
def model(session: nox.Session) -> None:
    """Compare the interpreter with the model of the language over 20,000 random runs; MODEL_EXAMPLES for more."""
    session.install("-e", ".", *group("tests"))
    session.env.setdefault("MODEL_EXAMPLES", os.environ.get("MODEL_EXAMPLES", "20000"))
    session.run("pytest", "tests/model/test_model.py", "-o", "faulthandler_timeout=0", *session.posargs)


@nox.session
def kit(session: nox.Session) -> None:
    """A share of what the test kit is for: 20,000 simulated runs on all cores, and some deliberate defects."""
    session.install("-e", ".", *group("tests"))
    session.run("python", "-m", "tests.testing.simulated", os.environ.get("SIMULATE_SEEDS", "20000"))
    session.run("python", "-m", "tests.sabotage", "--some")


@nox.session(default=False)
def sabotage(session: nox.Session) -> None:
    """Put deliberate defects into copies of the package, one at a time: the finders of the test kit find each."""
    session.install("-e", ".", *group("tests"))
    session.run("python", "-m", "tests.sabotage", "--write", *session.posargs)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Change one thing in plan or interpreter at a time, 500 times: a test fails each time, or nearly; MUTANTS=all."""
    session.install("-e", ".", *group("tests"))
    session.run("python", "-m", "tests.mutation", *session.posargs)


@nox.session(default=False)
def repeat(session: nox.Session) -> None:
    """Repeat the fast tests 50 times, each time in another random order; REPETITIONS for another number."""
    session.install("-e", ".[cli]", *group("tests"))
    session.run("python", "-m", "tests.repeat")


@nox.session(default=False)
def simulate(session: nox.Session) -> None:
    """Simulate a million runs of the examples on all cores; SIMULATE_SEEDS for another number."""
    session.install("-e", ".")
    session.run("python", "-m", "tests.testing.simulated", os.environ.get("SIMULATE_SEEDS", "1000000"))


@nox.session(default=False)
def damage(session: nox.Session) -> None:
    """Cut and change the file of a journal 100,000 times, at each byte; DAMAGE_MUTANTS for another number."""
    session.install("-e", ".", *group("tests"))
    session.env.setdefault("DAMAGE_MUTANTS", os.environ.get("DAMAGE_MUTANTS", "100000"))
    session.run("pytest", *PARALLEL, "tests/journal/test_damage.py", "-o", "faulthandler_timeout=0", *session.posargs)


@nox.session(default=False)
def crash(session: nox.Session) -> None:
    """Kill processes at each write point of every scene and at 1,000 random instants; CRASH_INSTANTS for more."""
    session.install("-e", ".", *group("tests"))
    session.env.setdefault("CRASH_INSTANTS", os.environ.get("CRASH_INSTANTS", "1000"))
    session.run("pytest", "tests/durable/crash", *PARALLEL, "-o", "faulthandler_timeout=0", *session.posargs)


@nox.session
def api(session: nox.Session) -> None:
    """What the public interface breaks since the last release, or the commit that follows --: the changelog tells."""
    session.install(*group("api"))
    session.run("python", "-m", "tests.api", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The benchmarks of this library and of asyncio by hand, and the page of them; compare figures of one machine."""
    session.install("-e", ".[cli,temporal]", *group("temporal"))
    session.run("python", "-m", "benchmarks", "here", "tasks", "by_hand", "here_sqlite")
    for benchmark in ("checking", "durable", "exploring", "temporal"):
        session.run("python", f"benchmarks/{benchmark}.py", *session.posargs)


@nox.session(default=False)
def peers(session: nox.Session) -> None:
    """The benchmarks beside those of other libraries, each in an environment of its own: a quarter of an hour."""
    session.install("-e", ".[cli]")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(default=False, python=False)
def dev(session: nox.Session) -> None:
    """An environment for an editor, in `.venv`: the package as it stands in the tree, and all tools."""
    venv.create(ROOT / ".venv", with_pip=True)
    python = ROOT / ".venv" / PYTHON
    session.run(python, "-m", "pip", "install", "--quiet", "-e", ".[cli]", *group("dev"), external=True)
