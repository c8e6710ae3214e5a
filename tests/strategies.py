"""Hostile text: named payloads for everything that our reports pass through, and strategies that mix them with any text.

What comes from a repository (names of tests, branches and files, messages, log lines) is written by whoever can open a
pull request. Each payload means something to one reader; its name says to which.
"""

from __future__ import annotations

from types import MappingProxyType

from hypothesis import strategies as st

PAYLOADS = MappingProxyType({
    # GitHub's runner (ActionCommand.cs), and the runners that took its form over. Zero-width characters count for
    # nothing where .NET compares by culture.
    "command": "::set-output name=canary::1",
    "command after space": " \u00a0\u3000\t::add-mask::canary",
    "command after nothing": "\u200b\u00ad\u2060::error::canary",
    "command with nothing in it": ":\u200d:warning::canary",
    "command on a line of its own": "x\r\n::stop-commands::canary\r::error::canary\n",
    "old command": "before ##[set-output name=canary]1",
    "old command with nothing in it": "#\u200b#\ufeff[error]canary",
    "old command out of parts": "#\x1b[0m#\u202e[group]canary",
    "Azure": "##vso[task.setvariable variable=canary]1",
    "TeamCity": "##teamcity[buildStop comment='canary']",
    "GitLab": "\x1b[0Ksection_start:0:canary\r\x1b[0K",
    "output file": "x\nEOF\ncanary<<EOF\n1\nEOF\n",
    "output file's usual delimiter": "ghadelimiter_00000000-0000-0000-0000-000000000000\ncanary=1",
    # Terminals (ECMA-48, xterm).
    "colour": "\x1b[31mred\x1b[0m",
    "screen": "\x1b[2J\x1b[H\x1b[?1049h\x1bc",
    "title": "\x1b]0;canary\x07",
    "clipboard": "\x1b]52;c;Y2FuYXJ5\x1b\\",
    "link": "\x1b]8;;https://evil.example/\x1b\\link\x1b]8;;\x1b\\",
    "device control": "\x1bP+q544e\x1b\\\x1b_canary\x1b\\\x1b^canary\x1b\\",
    "C1": "\x9b31m\x9d0;canary\x9c\x90canary\x9c\x85",
    "line over line": "shown\rhidden\x08\x08\x7f\x0b\x0c",
    "escape that XML spells": "#x1B[31mred",
    "right to left": "\u202egnp.exe\u202c\u2066x\u2069\u200f\u061c",
    "lines": "a\u2028b\u2029c\x1cd\x1ee",
    # What no encoding takes.
    "zero": "a\x00b\x00",
    "surrogates": "\ud800\udfff\udc80 \udbff",
    "noncharacters": "\ufffe\uffff\ufdd0\U0001ffff",
    # Markdown (GFM) and what GitHub makes of text besides.
    "table": "a | b \\| c\n|---|---|\n| d |",
    "code": "`` ` ``` ````\n```\n~~~\n# canary",
    "Markdown link": "[canary](https://evil.example) <https://evil.example> [a][b]\n[b]: //evil.example",
    "Markdown image": "![canary](https://evil.example/i.png)",
    "address": "https://evil.example www.evil.example ftp://evil.example evil@evil.example",
    "mention": "@octocat @org/team",
    "reference": "#1 GH-1 org/repository#1 org/repository@0123456789abcdef0123456789abcdef01234567",
    "emoji and formula": ":tada: $x$ $$x$$ $`x`$",
    "footnote and alert": "[^1]\n\n[^1]: canary\n> [!WARNING]\n> canary",
    "heading and rule": "# canary\n===\n---\n***\n- [x] canary\n1. canary",
    "HTML comment": "<!-- canary --> --!> -- -->",
    "closed details": "</details></td></table><details open>",
    # HTML, SVG, JavaScript.
    "script": "</script><script>document.title='canary'</script>",
    "image": "<img src=x onerror=\"alert('canary')\">",
    "attribute": "\" onmouseover=alert(1) autofocus onfocus='alert(1)' x=\"",
    "SVG": "</svg><svg onload=alert(1)><animate onbegin=alert(1) attributeName=x></svg>",
    "text elements": "</title></textarea></style></noscript></pre></summary><iframe srcdoc='<script>alert(1)</script>'>",
    "base and refresh": "<base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
    "entities": "&lt;script&gt; &#60;img src=x&#62; &amp;lt; &NewLine; &#x1b;[31m",
    "script in JSON": "\u003cscript\\u003e <!--<script> ]]> */ // ' \" \\ \u2028",
    "JavaScript address": "javascript:alert(1)//https://",
    "data address": "data:text/html,<script>alert(1)</script>",
    "other host": "//evil.example/x",
    # XML.
    "CDATA": "]]> <![CDATA[ ]]]]><![CDATA[>",
    "entity": "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>",
    "instruction": "?> <?xml-stylesheet href=\"//evil.example\"?> --> \" line=\"9",
    # Shells and templates.
    "shell": "$(touch canary) `touch canary`; touch canary | touch canary & touch canary",
    "shell quotes": "'; touch canary; ' \"; touch canary; \" \\",
    "option": "--upload-pack=touch canary",
    "expression": "${{ secrets.GITHUB_TOKEN }} ${{ github.token }}",
    "template": "{{ 7*7 }} {% include '/etc/passwd' %} {# #} %{ if true }canary%{ endif } ${PATH} $${PATH}",
    "format": "{0} {canary.__class__} %s %n %(canary)s",
    # Names of files.
    "name that leads out": "../../../../tmp/canary",
    "absolute name": "/etc/canary",
    "Windows": "..\\..\\canary C:\\canary \\\\evil.example\\canary CON nul. ",
    "encoded name": "%2e%2e%2f%2e%2e%2fcanary%00",
    # Sizes.
    "long": "canary " * 400,
    "deep": "[" * 300,
    "marks": "z" + "\u0301" * 100,
})  # fmt: skip
"""Text by the name of what it tries."""

names = st.sampled_from(sorted(PAYLOADS))
_any = st.text(max_size=30)
_text_of_any_kind = st.text(alphabet=st.characters(exclude_categories=()), max_size=30)
_parts = st.one_of(names.map(PAYLOADS.__getitem__), _any, _text_of_any_kind)


@st.composite
def _mixed(draw: st.DrawFn) -> str:
    """A few payloads and texts in a row, so that one may begin in the middle of another."""
    return draw(st.sampled_from(["", " ", "\n", "\\"])).join(draw(st.lists(_parts, min_size=1, max_size=3)))


hostile = st.one_of(names.map(PAYLOADS.__getitem__), _mixed())
"""Any text at all, and payloads far more often than chance would; lone surrogates included."""

every = "\n".join(PAYLOADS.values())
"""All payloads in one text."""
