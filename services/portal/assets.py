"""Style sheet, modules and icons: served for ever under a folder named after what is in them."""

import hashlib
import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response

_FOLDER = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"


class Assets:
    """The files of `static/`, read once. One hash over all names their folder: modules may import each other."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        digest = hashlib.sha256()
        for name, content in self._files.items():
            digest.update(name.encode() + b"\0" + content + b"\0")
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError when there is none of that name."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    def answer(self, version: str, name: str) -> Response:
        """The file, cached for ever when the version is today's."""
        content = self._files.get(name)
        if content is None:
            return Response("not found", 404, media_type="text/plain")
        kept = _FOR_EVER if version == self.version else "no-cache"
        kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
        return Response(content, headers={"cache-control": kept}, media_type=kind)

    def add_to(self, app: FastAPI) -> None:
        """Serve them, and the two files that browsers and robots ask for by name."""

        async def static(request: Request) -> Response:
            return self.answer(request.path_params["version"], request.path_params["name"])

        async def favicon() -> Response:
            return self.answer("", "favicon.svg")

        async def robots() -> Response:
            return self.answer("", "robots.txt")

        app.add_api_route("/static/{version}/{name:path}", static, include_in_schema=False, response_model=None)
        app.add_api_route("/favicon.ico", favicon, include_in_schema=False, response_model=None)
        app.add_api_route("/robots.txt", robots, include_in_schema=False, response_model=None)
