#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documentation says against what is there:  test_docs.py CHECK SOURCE PROGRAM MANUAL

Each check prints what is wrong, a line each, and ends with 1 if there was anything."""
import html
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECK, SOURCE, PROGRAM, MANUAL = sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])

# What stands for something else in a command line of the documentation, with an example of it.
PLACEHOLDERS = [(r"--weights (KIND|NAME)\b", "--weights rda"), (r"--trace KIND\b", "--trace exact"),
                (r"--family NAME\b", "--family matmul"), (r"--model MODEL\b", "--model node"),
                (r"lr=RATE\b", "lr=0.1"), (r"--seed SEED\b", "--seed 1"), (r"--seconds N\b", "--seconds 5"),
                (r"--(crop|rotate|scale|elastic) [A-Z]+\b", r"--\1 1")]
ELSEWHERE = {"datasets/mnist", "examples/odenet_mnist.py", "examples/cnf.py"}  # fetched; torchdiffeq's


def pages():
    return sorted([*SOURCE.glob("*.md"), *SOURCE.glob("docs/**/*.md"), SOURCE / "datasets/README.md", SOURCE / "results/README.md"])


def name(page):
    return str(page.relative_to(SOURCE))


def blocks(text):
    """Code blocks: indented, or fenced as sh."""
    fenced = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    indented = re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.M)
    return fenced + [re.sub(r"^ {4}", "", b, flags=re.M) for b in indented if b.strip()]


def inline(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    text = re.sub(r"^ {4}.*$", "", text, flags=re.M)
    return re.findall(r"`([^`\n]+)`", text)


def slug(heading):
    heading = re.sub(r"[`*\[\]]|\(.*?\.md.*?\)", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def anchors(page):
    return {slug(h) for h in re.findall(r"^#+ (.*)$", page.read_text(), re.M)}


def links():
    for page in pages():
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            if not there.exists():
                yield f"{name(page)}: there is no {target}"
            elif anchor and anchor not in anchors(there):
                yield f"{name(page)}: {path or 'the page'} has no heading #{anchor}"


def tasks():
    text = subprocess.run([PROGRAM, "train", "--help"], capture_output=True, text=True, check=True).stdout
    section = text.split("Tasks:\n")[1].split("\nOptions")[0]
    return re.findall(r"^  (\S+)", section, re.M)


def refused(script):
    """Run a script in which `evonode` reads its command line and stops; what it refused."""
    for pattern, example in PLACEHOLDERS:
        script = re.sub(pattern, example, script)
    prelude = f"""
    evonode() {{
        if [ "$1" = train ] && [ $# -gt 1 ]; then
            case " {' '.join(tasks())} TASK " in *" $2 "*) ;; *) echo "no task: evonode $*"; esac
        fi
        "$PROGRAM" "$@" --help >/dev/null || echo "refused: evonode $*"
    }}
    """
    run = subprocess.run(["sh", "-c", prelude + script], capture_output=True, text=True, cwd=MANUAL,
                         env=dict(os.environ, PROGRAM=PROGRAM))
    return [*run.stdout.splitlines(), *([run.stderr.strip()] if run.returncode else [])]


def scripts(text):
    for block in blocks(text):
        lines = [line for line in block.splitlines() if line.strip()]
        if all(re.match(r"\s*(evonode |for |done|do$|[A-Z]+=|#)", line) for line in lines):
            yield block
        else:
            yield from (line for line in lines if line.startswith("evonode "))
    for code in inline(text):
        if code.startswith("evonode ") and "VERB" not in code and "..." not in code:
            yield code


def commands():
    count = 0
    for page in pages():
        for script in scripts(page.read_text()):
            count += script.count("evonode ")
            yield from (f"{name(page)}: {line}" for line in refused(script))
    for page in sorted(MANUAL.glob("*.1")):
        for line in re.findall(r"^\.Dl (evonode .*)$", page.read_text(), re.M):
            count += 1
            yield from (f"{page.name}: {line}" for line in refused(line.replace("\\-", "-")))
    if count < 30:
        yield f"only {count} command lines were found"


def sources():
    """Paths and names of the code that the documentation speaks of."""
    code = "\n".join(path.read_text(errors="replace") for folder in ("src", "host", "include", "kernels", "bench")
                     for path in (SOURCE / folder).rglob("*") if path.is_file())
    folders = "src|host|include|kernels|tests|tools|bench|examples|docs|datasets|cmake"
    for page in pages():
        text = page.read_text()
        for span in inline(text) + blocks(text):
            for path in re.findall(rf"(?<![\w/$.-])((?:{folders})/[\w./-]+)", span):
                known = re.sub(r"[A-Z]{3,}", "", path) == path.replace("README", "").replace("LICENSE", "")
                found = (SOURCE / path).exists() or any(SOURCE.glob(path.rstrip("./") + ".*"))
                if known and path not in ELSEWHERE and not found:
                    yield f"{name(page)}: there is no {path}"
        for span in inline(text):
            for symbol in re.findall(r"\bevn__?[a-z][a-z0-9_]*(?![A-Z*…])\b", span):
                if "noun" not in symbol and "_x_" not in symbol and not re.search(rf"\b{symbol}\b", code):
                    yield f"{name(page)}: nothing is called {symbol}"


def environment():
    read = set()
    for folder in ("src", "host"):
        for path in (SOURCE / folder).rglob("*.c"):
            read |= set(re.findall(r'getenv\("(EVONODE_\w+)"\)', path.read_text()))
    guide = (SOURCE / "docs/guide.md").read_text()
    table = guide.split("## Environment\n")[1].split("\n## ")[0]
    described = {"docs/guide.md": set(re.findall(r"^\| `(EVONODE_\w+)`", table, re.M)),
                 "evonode.1": set(re.findall(r"^\.It Ev (EVONODE_\w+)", (MANUAL / "evonode.1").read_text(), re.M))}
    for where, names in described.items():
        yield from (f"{where} lacks {variable}" for variable in sorted(read - names))
        yield from (f"{where} has {variable}, which nothing reads" for variable in sorted(names - read))
    if not read:
        yield "no variable was found in the sources"


def exit_codes():
    guide = (SOURCE / "docs/guide.md").read_text()
    for value, text in re.findall(r'^EVN_STATUS\(\w+, (\d+), "(.*)"\)', (SOURCE / "src/base/status.def").read_text(), re.M):
        if f"| {value} | {text} |" not in guide:
            yield f"docs/guide.md lacks exit code {value}, {text}"


def verbs():
    text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    section = text.split("Verbs:\n")[1].split("\nExit")[0]
    guide = (SOURCE / "docs/guide.md").read_text()
    for verb in re.findall(r"^  ([a-z]+)", section, re.M):
        if f"| `evonode {verb}" not in guide:
            yield f"the table of docs/guide.md lacks evonode {verb}"
        if not (MANUAL / f"evonode-{verb}.1").exists():
            yield f"there is no manual page evonode-{verb}.1"


def networks():
    """The guide names every layer, and the network files for images in it and in bench are such."""
    text = subprocess.run([PROGRAM, "describe", "--help"], capture_output=True, text=True, check=True).stdout
    section = (SOURCE / "docs/guide.md").read_text().split("## Your own network\n")[1].split("\n## ")[0]
    layers = re.findall(r"^  ([a-z]\S*)", text.split("\nLayers:\n")[1].split("\n\n")[0], re.M)
    if len(layers) < 10:
        yield "the help of describe lists no layers"
    yield from (f"docs/guide.md lacks the layer {layer}" for layer in layers if f"`{layer}`" not in section)
    networks = [("docs/guide.md", block.split("```")[0]) for block in section.split("```json\n")[1:]]
    networks += [(path.name, path.read_text()) for path in sorted((SOURCE / "bench").glob("*.json"))]
    networks = [(place, network) for place, network in networks if '"stem"' in network]
    if len(networks) < 3:
        yield "the guide and bench have fewer networks than they had"
    for place, network in networks:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(network)
            file.flush()
            told = subprocess.run([PROGRAM, "describe", file.name, "--size", "8"], capture_output=True, text=True)
            if told.returncode:
                yield f"a network of {place}: {told.stderr}"


def keeps_options():
    """A build folder that lacks the manual pages keeps the options that it was configured with."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "bin").mkdir()
        for tool in ("pandoc", "mandoc", "doxygen", "cmake"):  # cmake ends the script, with its words
            (here / "bin" / tool).write_text('#!/bin/sh\necho "$@" >>"$SAID"\nexit 1\n')
            (here / "bin" / tool).chmod(0o755)
        for name, expected in (("fresh", True), ("configured", False)):
            (here / name).mkdir()
            if not expected:
                (here / name / "CMakeCache.txt").touch()
            subprocess.run(["sh", SOURCE / "tools/site.sh", here / name], env=dict(
                os.environ, PATH=f"{here}/bin:{os.environ['PATH']}", SAID=str(here / f"{name}.said")), check=False)
            said = (here / f"{name}.said").read_text()
            if ("-DEVN_" in said) != expected or f"-B {here / name}" not in said:
                yield f"tools/site.sh configures a {name} folder by: cmake {said}"


def site():
    """Build the site; every link in it leads somewhere, and nothing is loaded from the network."""
    built = subprocess.run(["sh", SOURCE / "tools/site.sh", MANUAL.parent], capture_output=True, text=True)
    if built.returncode == 77:
        print(built.stderr)
        sys.exit(77)
    if built.returncode:
        yield built.stdout + built.stderr
        return
    texts = {page: page.read_text(errors="replace") for page in (MANUAL.parent / "site").rglob("*.html")
             if "search" not in page.parts}
    for page, text in texts.items():
        for kind, target in re.findall(r'(href|src)="([^"]+)"', text):
            if re.match(r"[a-z]+:", target):
                if kind == "src" and target.startswith("http"):
                    yield f"{page}: loads {target}"
                continue
            path, _, anchor = html.unescape(target).partition("#")
            there = Path(os.path.normpath(page.parent / path)) if path else page
            if not there.exists():
                yield f"{page}: there is no {target}"
            elif anchor and there in texts and not re.search(rf'(id|name)="{re.escape(anchor)}"', texts[there]):
                yield f"{page}: {path} has no place #{anchor}"
    if len(texts) < 30:
        yield f"the site has only {len(texts)} pages"


problems = list({"links": links, "commands": commands, "sources": sources, "environment": environment,
                 "exit_codes": exit_codes, "verbs": verbs, "networks": networks, "site": site,
                 "keeps_options": keeps_options}[CHECK]())
print("\n".join(problems) if problems else f"{CHECK}: {len(pages())} pages, nothing is wrong")
sys.exit(bool(problems))
