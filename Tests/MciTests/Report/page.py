# SPDX-License-Identifier: Apache-2.0
"""Reads a report as a browser does and prints what is wrong with it, then a line of JSON: the texts of
the first cells of its tables, and how much of everything there is."""
import collections
import html.parser
import json
import sys

VOID = {"meta", "br", "link", "rect", "path", "circle"}
ALLOWED = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "strong",
           "code", "section", "svg", "defs", "pattern", "path", "rect", "text", "table", "caption",
           "thead", "tbody", "tr", "th", "td", "details", "summary"}
problems = []


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.counts = [], collections.Counter()
        self.names, self.text, self.captions, self.heads = [], [], 0, []
        self.ids = collections.Counter()
        self.cell = None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.counts[tag] += 1
        if tag not in ALLOWED:
            problems.append(f"element {tag}")
        for name, value in attributes.items():
            if name.startswith("on") or name in ("href", "src", "srcset", "xlink:href", "action", "style"):
                problems.append(f"attribute {name}")
            if "url(" in (value or "") and not value.startswith("url(#"):
                problems.append(f"address {value}")
        if "id" in attributes:
            self.ids[attributes["id"]] += 1
        if tag == "svg" and (attributes.get("role") != "img" or not attributes.get("aria-label")):
            problems.append("a picture without a label")
        if tag == "th" and attributes.get("scope") not in ("row", "col"):
            problems.append("a heading of a table without scope")
        if tag == "html" and attributes.get("lang") != "en":
            problems.append("no language")
        if tag in ("h1", "h2", "h3"):
            self.heads.append(int(tag[1]))
        if tag == "th" and attributes.get("scope") == "row":
            self.cell = []
        if tag not in VOID:
            self.stack.append(tag)
        if tag in ("h1", "section", "svg", "table", "p") and "main" not in self.stack:
            problems.append(f"{tag} outside main")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.stack or self.stack.pop() != tag:
            problems.append(f"{tag} is not closed where it should be")
        if tag == "th" and self.cell is not None:
            self.names.append("".join(self.cell))
            self.cell = None

    def handle_data(self, data):
        self.text.append(data)
        if self.cell is not None:
            self.cell.append(data)


source = sys.stdin.buffer.read().decode("utf-8")
page = Page()
page.feed(source)
page.close()
if page.stack:
    problems.append(f"left open: {page.stack}")
if page.counts["h1"] != 1 or page.heads[:1] != [1]:
    problems.append("not one first heading")
if any(after > before + 1 for before, after in zip(page.heads, page.heads[1:])):
    problems.append("a heading skips a level")
if page.counts["caption"] != page.counts["table"]:
    problems.append("a table without a caption")
if page.counts["summary"] != page.counts["details"]:
    problems.append("details without a summary")
if any(count > 1 for count in page.ids.values()):
    problems.append("an id twice")
if "default-src 'none'" not in source or "<script" in source.lower():
    problems.append("it may load or run something")
if any(ord(sign) < 0x20 and sign != "\n" or 0x7F <= ord(sign) < 0xA0 or 0x202A <= ord(sign) <= 0x202E
       or 0x2066 <= ord(sign) <= 0x2069 for sign in source):
    problems.append("a character that commands")
for problem in problems[:20]:
    print(problem)
print(json.dumps({"names": page.names, "counts": page.counts, "text": "".join(page.text)}))
sys.exit(1 if problems else 0)
