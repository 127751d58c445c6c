"""Static files under hashed names; the stylesheet in one piece, for phones on slow lines."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

BUNDLES = ("ui/ui.css",)
_IMPORT = re.compile(r'^@import url\("(?P<file>[^"]+)"\) layer\((?P<layer>\w+)\);$', re.MULTILINE)


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """
    Collect as usual, but put what a stylesheet imports in the place of the import.

    Before anything is collected (tests, a checkout) files are served from the apps' folders.
    """

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else name

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str, bool]]:
        if not dry_run:
            for name in BUNDLES:
                if name in paths:
                    self._bundle(name, paths)
                    paths[name] = (self, name)
        yield from super().post_process(paths, dry_run, **options)

    def _bundle(self, name: str, paths: dict[str, Any]) -> None:
        def read(file: str) -> str:
            storage, path = paths[file]
            with storage.open(path) as source:
                text: str = source.read().decode()
            return text

        def inline(found: re.Match[str]) -> str:
            file = str(PurePosixPath(name).parent / found["file"])
            return f"@layer {found['layer']} {{\n{read(file)}}}\n"

        text = _IMPORT.sub(inline, read(name))
        self.delete(name)
        self._save(name, ContentFile(text.encode()))
