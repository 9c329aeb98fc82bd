"""The code blocks of README and docs run, on toy data and small networks.

A page's blocks run in order, on the desk of a user who has trained: ``python`` in one namespace per
page, ``bash`` as it is, of ``console`` the lines after ``$``. A block is left out if the line
before it says so, and why::

    <!-- not run: it needs MPII's images -->
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from .commands import run_lines
from .conftest import ROOT, toy_phase

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
PAGES.remove(ROOT / 'docs/own_data.md')  # test_own_data.py runs it on data of its own
BLOCK = re.compile(
    r'(?:^<!-- not run: (?P<reason>[^\n]+) -->\n+)?^```(?P<language>python|bash|console)\n'
    r'(?P<code>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
STANDS_FOR = {  # words of the pages, and what is on the desk
    'cuda:0': 'cpu',
    'CONFIG': 'configs/acnn_phase3.py',
    'CHECKPOINT': 'work_dirs/acnn_phase3/epoch_100.pth',
}


class Block(NamedTuple):
    """A code block; ``reason`` says why it is not run, if it is not."""

    line: int
    language: str
    code: str
    reason: str | None


def find_blocks(text: str) -> list[Block]:
    return [
        Block(text.count('\n', 0, m.start('language')) + 1, *m.group('language', 'code', 'reason'))
        for m in BLOCK.finditer(text)
    ]


@pytest.fixture(scope='module')
def desk(toy_root, trained, images, tmp_path_factory) -> Path:
    """Where a user works: the repository, with trained networks, MPII's data and photographs.

    Configs of the same names are those of small networks that train for an epoch.
    """
    desk = tmp_path_factory.mktemp('desk')
    for name in ('tools', 'studies', 'docs', 'weights'):
        (desk / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / 'configs', desk / 'configs')
    (desk / 'data').mkdir()
    for name in ('mpii', 'toy'):
        (desk / 'data' / name).symlink_to(toy_root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ACNN_DATA_ROOT', str(toy_root))
        for number, checkpoint in enumerate(trained.values(), start=1):
            cfg = toy_phase(number, desk, **{'train_cfg.max_epochs': 1})
            cfg.pop('work_dir')
            for name in ('acnn', 'toy/acnn_toy'):
                cfg.dump(desk / f'configs/{name}_phase{number}.py')
            run = desk / 'work_dirs' / f'acnn_phase{number}'
            shutil.copytree(checkpoint.parent, run)
            for epoch in (100, 200):
                shutil.copy(checkpoint, run / f'epoch_{epoch}.pth')
    (desk / 'folder').mkdir()
    for name in ('image.jpg', 'photo1.jpg', 'photo2.jpg', 'folder/1.jpg'):
        shutil.copy(images[0], desk / name)
    return desk


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_code_blocks_run(page, desk, monkeypatch):
    monkeypatch.chdir(desk)
    blocks = [block for block in find_blocks(page.read_text('utf-8')) if block.reason is None]
    if not blocks:
        pytest.skip(f'{page.name} has no code that runs')
    namespace: dict = {}
    for block in blocks:
        code = re.sub('|'.join(STANDS_FOR), lambda match: STANDS_FOR[match[0]], block.code)
        where = f'{page.name}, line {block.line}'
        try:
            if block.language == 'python':
                exec(compile(code, where, 'exec'), namespace)
            elif block.language == 'bash':
                run_lines(code, monkeypatch)
            else:
                lines = re.findall(r'^\$ (.*)', code, re.MULTILINE)
                assert lines, 'a console block needs a line that begins with $'
                run_lines('\n'.join(lines), monkeypatch)
        except (Exception, SystemExit) as error:
            pytest.fail(f'the code at {where} does not run: {error!r}\n{code}', pytrace=False)


def test_blocks_are_found_with_what_marks_them():
    page = """
```python
1
```
<!-- not run: no GPU -->
```bash
a
```

```text
b
```
```console
$ c
d
```
<!-- not run: no network -->
```bash
e
```
"""
    assert find_blocks(page) == [
        (2, 'python', '1\n', None),
        (6, 'bash', 'a\n', 'no GPU'),
        (13, 'console', '$ c\nd\n', None),
        (18, 'bash', 'e\n', 'no network'),
    ]


def test_a_mark_is_of_the_next_block_alone():
    text = '<!-- not run: x -->\n\nwords\n\n```bash\na\n```\n'
    assert [block.reason for block in find_blocks(text)] == [None]


def test_tests_that_the_docs_name_exist():
    there = {path.name for path in (ROOT / 'tests').rglob('*.py')}
    named = {name for page in PAGES for name in re.findall(r'test_\w+\.py', page.read_text())}
    assert named
    assert named <= there
