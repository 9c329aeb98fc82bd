"""Pages of the site that lie beside this folder, and links that `mkdocs build` can resolve."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    'index.md': 'README.md',
    'contributing.md': 'CONTRIBUTING.md',
    'changelog.md': 'CHANGELOG.md',
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie beside this folder."""
    for page, source in PAGES.items():
        text = (ROOT / source).read_text(encoding='utf-8').replace('](docs/', '](')
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Turn links to files that are no pages, such as code, into their plain text."""
    names = {source: page for page, source in PAGES.items()}

    def resolve(match: re.Match[str]) -> str:
        text, target = match.groups()
        target = names.get(target.removeprefix('../'), target)
        is_page = re.match(r'(https?:|#|[\w/]*\w+\.md|images/)', target)
        return f'[{text}]({target})' if is_page and not target.startswith('studies/') else text

    return re.sub(r'(?<!!)\[([^\]]+)\]\(([^)\s]+)\)', resolve, markdown)
