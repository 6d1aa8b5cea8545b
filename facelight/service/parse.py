"""The request body: read once, hashed as it comes, split into its parts, bounded in memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from facelight.service.errors import Refusal, Refused, wrong_media_type
from facelight.service.options import Limits
from facelight.service.wire import header_parameters

_NEVER_ENDED = "the part has no end: the closing boundary is missing"


@dataclass(slots=True)
class FormPart:
    """One complete part; ``data`` stops growing at its limit, ``size`` does not."""

    name: str
    file_name: str | None
    media_type: str | None
    charset: str | None
    data: bytearray = field(default_factory=bytearray)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Upload:
    """The two properties of a request, not yet judged."""

    metadata: bytes
    contents: dict[str, FormPart]


class BodyReader:
    """Takes the body chunk by chunk; the digest covers every byte, whatever the parts are."""

    def __init__(self, content_type: str | None, limits: Limits) -> None:
        self._limits = limits
        self._sha256 = hashlib.sha256()
        self._length = 0
        self._parts: list[FormPart] = []
        self._open: FormPart | None = None
        self._headers: list[tuple[bytearray, bytearray]] = []
        self._fresh_header = True
        self._problem: str | None = None
        self._multipart = False
        self._parser = self._make_parser(content_type)

    @property
    def length(self) -> int:
        """Bytes read so far."""
        return self._length

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes read so far, upper-case hex."""
        return self._sha256.hexdigest().upper()

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Read the whole body.

        Raises
        ------
        Refused
            the body passes the limit (message 7); the rest stays unread.
        """
        async for chunk in chunks:
            self._length += len(chunk)
            if self._length > self._limits.max_body_bytes:
                raise Refused(
                    Refusal.TOO_LARGE,
                    f"body: above {self._limits.max_body_bytes} bytes",
                )
            self._sha256.update(chunk)
            self._feed(chunk)

    def upload(self) -> Upload:
        """Return the parts of the body that was read.

        Raises
        ------
        ApiError
            415 for another media type; Refused for what is missing or malformed.
        """
        if not self._multipart:
            raise wrong_media_type()
        metadata = self._metadata()
        contents: dict[str, FormPart] = {}
        for part in self._parts:
            if part.name != "Content":
                continue
            if part.media_type not in {None, "application/octet-stream"}:
                raise Refused(Refusal.NO_CONTENT, f"Content: Content-Type {part.media_type}")
            if part.file_name is None:
                raise Refused(Refusal.NO_CONTENT, "Content: without filename")
            if part.file_name in contents:
                raise Refused(Refusal.NO_CONTENT, f"Content: two parts named {part.file_name}")
            contents[part.file_name] = part
        if not contents:
            raise Refused(Refusal.NO_CONTENT, self._why_incomplete())
        return Upload(metadata, contents)

    def _metadata(self) -> bytes:
        found = [part for part in self._parts if part.name == "Metadata"]
        if not found:
            raise Refused(Refusal.NO_METADATA, self._why_incomplete())
        part = found[0]
        if len(found) > 1:
            raise Refused(Refusal.NO_METADATA, "Metadata: given twice")
        if part.media_type != "application/json":
            raise Refused(Refusal.NO_METADATA, f"Metadata: Content-Type {part.media_type}")
        if (part.charset or "utf-8").lower() != "utf-8":
            raise Refused(Refusal.NO_METADATA, f"Metadata: charset {part.charset}")
        if part.size > self._limits.max_metadata_bytes:
            raise Refused(Refusal.NO_METADATA, f"Metadata: {part.size} bytes")
        return bytes(part.data)

    def _why_incomplete(self) -> str | None:
        return self._problem or (_NEVER_ENDED if self._open is not None else None)

    def _make_parser(self, content_type: str | None) -> MultipartParser | None:
        kind, parameters = header_parameters(content_type or "")
        self._multipart = kind == "multipart/form-data"
        boundary = parameters.get("boundary", "")
        if not self._multipart:
            return None
        if not boundary:
            self._problem = "Content-Type has no boundary"
            return None
        try:
            return MultipartParser(
                boundary.encode("latin-1", "replace"),
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._data,
                    "on_part_end": self._end_part,
                },
            )
        except FormParserError as error:
            self._problem = str(error)
            return None

    def _feed(self, chunk: bytes) -> None:
        if self._parser is None:
            return
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            self._problem = f"malformed multipart: {error}"
            self._parser = None

    def _begin_part(self) -> None:
        if len(self._parts) >= self._limits.max_parts:
            raise FormParserError(f"more than {self._limits.max_parts} parts")
        self._headers = []
        self._fresh_header = True

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        if self._fresh_header:
            self._headers.append((bytearray(), bytearray()))
            self._fresh_header = False
        self._headers[-1][0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._headers[-1][1].extend(data[start:end])

    def _end_header(self) -> None:
        self._fresh_header = True

    def _end_headers(self) -> None:
        headers = {
            bytes(name).strip().lower(): bytes(value).decode("utf-8", "replace")
            for name, value in self._headers
        }
        _, disposition = header_parameters(headers.get(b"content-disposition", ""))
        kind, parameters = header_parameters(headers.get(b"content-type", ""))
        file_name = disposition.get("filename")
        self._open = FormPart(
            name=disposition.get("name", ""),
            file_name=None if file_name is None else _unescaped(file_name),
            media_type=kind or None,
            charset=parameters.get("charset"),
        )

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._open
        if part is None:
            return
        limit = self._limits.max_video_bytes
        if part.name == "Metadata":
            limit = self._limits.max_metadata_bytes
        elif part.name != "Content":
            limit = 0
        room = max(0, limit - len(part.data))
        part.data += data[start : min(end, start + room)]
        part.size += end - start

    def _end_part(self) -> None:
        if self._open is not None:
            self._parts.append(self._open)
        self._open = None


def _unescaped(name: str) -> str:
    """Undo what HTML5 form encoding does to a file name."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
