"""A server that speaks S3's protocol, for tests: objects in memory, signatures checked, conditional puts.

Run as a program it listens on a free port of 127.0.0.1, prints it, and serves until it is stopped. Whoever signs with
KEY and SECRET may do everything. A bucket is made by a put. How its name begins says what is wrong with it: IGNORED
ignores conditions, as some stores do; in one of MUTE the answers to commits of events are lost on their way.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

__all__ = ["IGNORED", "KEY", "MUTE", "SECRET"]

KEY, SECRET = "PERCORSOTESTKEY", "percorso-test-secret-0815"
IGNORED = {
    "careless": ("If-Match", "If-None-Match"),
    "matchless": ("If-Match",),
    "noneless": ("If-None-Match",),
}
MUTE = "mute"
_COMMIT = re.compile(r"/events/_delta_log/\d*[1-9]\.json$")
#: So few that every listing of a test has several pages.
_PAGE = 50


@dataclass
class Stored:
    body: bytes
    tag: str
    time_s: float


@dataclass
class Objects:
    """All buckets; whoever changes them holds the lock, so that a condition and its put are one."""

    buckets: dict[str, dict[str, Stored]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class RefusedError(Exception):
    def __init__(self, status: int, code: str, told: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.told = status, code, told


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body in one packet: apart, each answer waits 40 ms
    disable_nagle_algorithm = True
    objects = Objects()

    def log_message(self, *_: object) -> None:
        """Nothing is written of requests."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        try:
            if key or self.command != "PUT":  # whoever runs the tests makes buckets
                self._check_signature(parts.path, query)
            with self.objects.lock:
                status, headers, answer = self._answer(bucket, key, query, body)
        except RefusedError as refused:
            status, headers = refused.status, {"Content-Type": "application/xml"}
            answer = f"<Error><Code>{refused.code}</Code><Message>no</Message>{refused.told}</Error>".encode()
        if bucket.startswith(MUTE) and self.command == "PUT" and status == 200 and _COMMIT.search(key):
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815

    def _check_signature(self, path: str, query: dict[str, str]) -> None:
        """AWS Signature Version 4, in a header."""
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, ?"
            r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)",
            self.headers.get("Authorization", ""),
        )
        if found is None:
            raise RefusedError(403, "AccessDenied")
        key, day, region, names, signature = found.groups()
        told = f"<AWSAccessKeyId>{escape(key)}</AWSAccessKeyId>"
        if key != KEY:
            raise RefusedError(403, "InvalidAccessKeyId", told)
        headers = "".join(f"{name}:{(self.headers.get(name) or '').strip()}\n" for name in names.split(";"))
        pairs = "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))
        request = [self.command, path, pairs, headers, names, self.headers.get("x-amz-content-sha256", "")]
        scope = f"{day}/{region}/s3/aws4_request"
        digest = hashlib.sha256("\n".join(request).encode()).hexdigest()
        signed = f"AWS4-HMAC-SHA256\n{self.headers.get('x-amz-date', '')}\n{scope}\n{digest}"
        secret = f"AWS4{SECRET}".encode()
        for part in (day, region, "s3", "aws4_request"):
            secret = hmac.digest(secret, part.encode(), "sha256")
        if not hmac.compare_digest(hmac.digest(secret, signed.encode(), "sha256").hex(), signature):
            raise RefusedError(403, "SignatureDoesNotMatch", f"{told}<StringToSign>{escape(signed)}</StringToSign>")

    def _answer(self, bucket: str, key: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.command == "PUT" and not key:
            self.objects.buckets.setdefault(bucket, {})
            return 200, {}, b""
        if bucket not in self.objects.buckets:
            raise RefusedError(404, "NoSuchBucket")
        stored = self.objects.buckets[bucket]
        if not key:
            return (200, {}, _listing(stored, query)) if self.command == "GET" else self._delete_many(stored, body)
        if "uploads" in query or "uploadId" in query:
            return self._multipart(bucket, key, query, body)
        if self.command == "PUT":
            return self._put(bucket, key, body)
        if self.command == "DELETE":
            stored.pop(key, None)
            return 204, {}, b""
        if key not in stored:
            raise RefusedError(404, "NoSuchKey")
        return self._get(stored[key])

    def _put(self, bucket: str, key: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        stored = self.objects.buckets[bucket]
        there = stored.get(key)
        match, none = (self._condition(bucket, name) for name in ("If-Match", "If-None-Match"))
        if none == "*" and there is not None:
            raise RefusedError(412, "PreconditionFailed")
        if match is not None and there is None:
            raise RefusedError(404, "NoSuchKey")
        if match is not None and there is not None and match != there.tag:
            raise RefusedError(412, "PreconditionFailed")
        stored[key] = Stored(body, f'"{hashlib.md5(body).hexdigest()}"', time.time())
        return 200, {"ETag": stored[key].tag}, b""

    def _condition(self, bucket: str, name: str) -> str | None:
        ignored = next((names for kind, names in IGNORED.items() if bucket.startswith(kind)), ())
        return None if name in ignored else self.headers.get(name)

    def _get(self, found: Stored) -> tuple[int, dict[str, str], bytes]:
        headers = {
            "ETag": found.tag,
            "Last-Modified": formatdate(found.time_s, usegmt=True),
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(found.body)),
        }
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            return 200, headers, found.body
        size = len(found.body)
        start = int(wanted[1]) if wanted[1] else size - int(wanted[2])
        end = min(int(wanted[2]) + 1, size) if wanted[1] and wanted[2] else size
        headers |= {"Content-Length": str(end - start), "Content-Range": f"bytes {start}-{end - 1}/{size}"}
        return 206, headers, found.body[start:end]

    def _delete_many(self, stored: dict[str, Stored], body: bytes) -> tuple[int, dict[str, str], bytes]:
        keys = [found.text or "" for found in ElementTree.fromstring(body).iter() if found.tag.endswith("Key")]
        for key in keys:
            stored.pop(key, None)
        told = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return 200, {}, f"<DeleteResult>{told}</DeleteResult>".encode()

    def _multipart(
        self, bucket: str, key: str, query: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        uploads, name = self.objects.uploads, query.get("uploadId", "")
        if "uploads" in query:
            name = uuid.uuid4().hex
            uploads[name] = {}
            answer = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><UploadId>{name}</UploadId>"
            return 200, {}, f"<InitiateMultipartUploadResult>{answer}</InitiateMultipartUploadResult>".encode()
        if self.command == "PUT":
            uploads[name][int(query["partNumber"])] = body
            return 200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, b""
        parts = uploads.pop(name, {})
        if self.command == "DELETE":
            return 204, {}, b""
        _, headers, _ = self._put(bucket, key, b"".join(parts[number] for number in sorted(parts)))
        answer = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><ETag>{headers['ETag']}</ETag>"
        return 200, {}, f"<CompleteMultipartUploadResult>{answer}</CompleteMultipartUploadResult>".encode()


def _listing(stored: dict[str, Stored], query: dict[str, str]) -> bytes:
    """ListObjectsV2."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = query.get("continuation-token") or query.get("start-after", "")
    keys = [key for key in sorted(stored, key=str.encode) if key.startswith(prefix) and key > after]
    page, answer, common = keys[:_PAGE], "", set()
    for key in page:
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            common.add(prefix + rest.partition(delimiter)[0] + delimiter)
            continue
        found = stored[key]
        told = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(found.time_s))
        answer += f"<Contents><Key>{escape(key)}</Key><LastModified>{told}</LastModified>"
        answer += f"<ETag>{escape(found.tag)}</ETag><Size>{len(found.body)}</Size></Contents>"
    answer += "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in sorted(common))
    if len(keys) > _PAGE:
        answer += f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
    cut = "true" if len(keys) > _PAGE else "false"
    return f"<ListBucketResult><IsTruncated>{cut}</IsTruncated>{answer}</ListBucketResult>".encode()


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        sys.stdout.close()
        server.serve_forever()
