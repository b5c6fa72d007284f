#!/usr/bin/env python3
"""prose.py text|names|code FILE...: the prose of the book, for tests/text.sh.

text   "file:line:text", without commands, formulas, and code but for the names of chunks;
       code that stands in a sentence is a @, a formula a ¤. Of C the comments, of .txt and
       .md the text.
names  "file:line:name": what the prose quotes as code.
code   C without its comments."""
import re
import sys

# Commands with the number of arguments that are no prose.
DROP = dict(label=1, index=1, url=1, href=1, input=1, grade=1,
            run=2, data=2, measured=2, measureddata=2, kept=2, benched=2, bencheddata=2,
            setlength=2, setcounter=2, fontsize=2, vspace=1, hspace=1, color=1, renewcommand=2, linespread=1,
            pagestyle=1, bibliographystyle=1, bibliography=1, planpart=2, planchapter=1, fig=1,
            end=1, ttfamily=0)
# Commands that stand for a word: an argument that names it.
WORD = {"val": 2, "rawval": 2, "cite": 1, "citet": 1, "citep": 1, "citealp": 1, "citeauthor": 1, "citeyear": 1,
        "ref": 1, "eqref": 1, "pageref": 1, "texttt": 1, "file": 1, "path": 1, "code": 1,
        "chap": 1, "Chap": 1, "sectref": 1, "Sectref": 1, "figref": 1, "Figref": 1, "exref": 1,
        "appref": 1, "Appref": 1, "TeX": 0, "LaTeX": 0, "revision": 0, "revisiondate": 0,
        "buildcc": 0, "buildlibc": 0, "buildcpu": 0}
MATHS = r"equation|align|gather|multline|equation\*|align\*|gather\*|multline\*|alignat\*|alignat"
ARG = r"\s*\{((?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*)\}"


def lines_of(text):
    return "\n" * text.count("\n")


def blank(sign):
    return lambda m: sign + lines_of(m.group(0))


def only_prose_of_nw(text):
    out, code = [], False
    for line in text.split("\n"):
        name = re.match(r"<<(.*)>>=\s*$", line)
        if name:
            code = True
            out.append(name.group(1) + ".")
            continue
        elif code and re.match(r"@( |$)", line):
            code = False
            line = ""
        out.append("" if code else line)
    return "\n".join(out)


def unquote(name):
    name = name.replace("-{}-", "--").replace("\\textquotesingle", "'").replace("@<<", "<<").replace("@>>", ">>")
    name = re.sub(r"\\([_{}#$%&])", r"\1", name).replace("\\,", " ").replace("\\allowbreak", "").replace("~", " ")
    return " ".join(name.split())


def of_tex(text, names):
    text = re.sub(r"(?<!\\)%[^\n]*", "", text)

    text = names_of(r"\[\[((?:[^\]]|\](?!\]))*\]*)\]\]", text, names)
    text = names_of(r"\\(?:texttt|file|path)\b" + ARG, text, names)
    text = names_of(r"\{\\ttfamily ([^{}]*)\}", text, names)
    text = names_of(r"\\ttfamily(?:\\raggedright)?\s((?:[^\\]|\\(?!end))*?)\\end\{quote\}", text, names)
    text = re.sub(r"\\begin\{(%s)\}.*?\\end\{\1\}" % MATHS, blank("¤"), text, flags=re.S)
    text = re.sub(r"\\\[.*?\\\]", blank("¤"), text, flags=re.S)
    text = re.sub(r"(?<!\\)\$(?:[^$\\]|\\.)*\$", blank("¤"), text, flags=re.S)
    text = re.sub(r"\\begin\{tabular\}(\[.\])?" + ARG.replace("\\s*", ""), blank(" "), text)
    text = re.sub(r"\\(?:begin|end)\{(?:exercise|hint|answer|facts)\}(?:\{[^{}]*\})*", " ", text)
    text = re.sub(r"\\begin\{[a-z*]+\}(?:\[[^\]]*\])?(?:\{[^{}]*\})*", " ", text)
    for name, n in WORD.items():
        text = re.sub(r"\\%s(?![A-Za-z])(?:\[[^\]]*\])*%s" % (name, ARG * n), blank("@"), text)
    for name, n in DROP.items():
        text = re.sub(r"\\%s(?![A-Za-z])\*?(?:\[[^\]]*\])*%s" % (name, ARG * n), blank(""), text)
    text = re.sub(r"\\(['`\"^~=.])\{?\\?([A-Za-z])\}?", accent, text)
    text = re.sub(r"\\c\{?c\}?", "ç", text)
    text = re.sub(r"\\(?:term|emph|textit|textbf|textsc|mbox)\{", "{", text)
    text = re.sub(r"\\(?:note|beside|codenote)\{", " {", text)
    text = re.sub(r"\\l?dots\b", "...", text)
    text = re.sub(r"\\allowbreak\b|\\-|\\/", "", text)
    text = re.sub(r"\\[A-Za-z]+\*?|\\[^A-Za-z\n]", " ", text)
    text = text.replace("~", " ").replace("---", " - ").replace("--", "-")
    # a brace is no blank: "{Lipschitz}" is a word; but arguments that follow each other are two
    return re.sub(r"\}(\s*)\{", r" \1", text).replace("{", "").replace("}", "")


def accent(m):
    import unicodedata
    sign = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307"}
    return unicodedata.normalize("NFC", m.group(2) + sign[m.group(1)])


def names_of(pattern, text, names):
    def found(m):
        line = text.count("\n", 0, m.start(1)) + 1
        for part in m.group(1).split("\\\\"):
            start = line + part[:len(part) - len(part.lstrip())].count("\n")
            if part.strip():
                names.append((start, unquote(part)))
            line += part.count("\n")
        return "@" + lines_of(m.group(0))
    return re.sub(pattern, found, text)


def of_markdown(text, names):
    text = names_of(r"(?m)^ {4}(\S.*?) *(?:#.*)?$", text, names)
    text = names_of(r"`([^`]*)`", text, names)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[*|#]", " ", text)


TOKEN = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|/\*.*?\*/|//[^\n]*'


def without_comments(text):
    return re.sub(TOKEN, lambda m: " " if m.group(0).startswith("/") else m.group(0), text, flags=re.S)


def of_c(text, names):
    """The comments; strings keep what looks like one from being taken for one."""
    out, at = [], 0
    for m in re.finditer(TOKEN, text, flags=re.S):
        out.append(lines_of(text[at:m.start()]))
        token = m.group(0)
        if token.startswith("/"):
            token = re.sub(r"^/[*/]|\*/$", "", token)
            out.append(re.sub(r"(?m)^\s*\*(?= )", "", token) + " ")
        at = m.end()
    return "".join(out)


def main():
    what, files = sys.argv[1], sys.argv[2:]
    for file in files:
        text = open(file, encoding="utf-8").read()
        names = []
        if what == "code":
            print(without_comments(text))
            continue
        if file.endswith(".nw"):
            text = of_tex(only_prose_of_nw(text), names)
        elif file.endswith(".tex"):
            text = of_tex(text, names)
        elif file.endswith(".md"):
            text = of_markdown(text, names)
        elif re.search(r"\.[ch]$", file):
            text = of_c(text, names)
        elif file.endswith(".txt"):
            text = re.sub(r"(?m)^usage.*$|--?[A-Za-z][A-Za-z0-9-]*", "@", text)
        if what == "names":
            for line, name in sorted(names):
                print(f"{file}:{line}:{name}")
        else:
            for line, part in enumerate(text.split("\n"), 1):
                if part.strip():
                    print(f"{file}:{line}:{part}")


main()
