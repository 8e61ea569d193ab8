"""Reads or writes WARC files with warcio, a library of other authors, for tests that want a second opinion."""
import base64
import hashlib
import io
import json
import sys

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter


def read(path):
    """One line of JSON for each record."""
    with open(path, "rb") as file:
        for record in ArchiveIterator(file, no_record_parse=False):
            http = record.http_headers
            body = record.content_stream().read()
            print(
                json.dumps(
                    {
                        "type": record.rec_type,
                        "format": record.rec_headers.protocol,
                        "id": record.rec_headers.get_header("WARC-Record-ID"),
                        "concurrentTo": record.rec_headers.get_header("WARC-Concurrent-To"),
                        "date": record.rec_headers.get_header("WARC-Date"),
                        "uri": record.rec_headers.get_header("WARC-Target-URI"),
                        "start": None if http is None else f"{http.protocol} {http.statusline}".strip(),
                        "bodySha": base64.b64encode(hashlib.sha256(body).digest()).decode(),
                    }
                )
            )


def write(path, version, gzip):
    """Exchanges as a crawler would record them, among records of other kinds."""
    with open(path, "wb") as file:
        writer = WARCWriter(file, gzip=gzip, warc_version=version)
        writer.write_record(writer.create_warcinfo_record("test.warc.gz", {"software": "warcio"}))
        for number in range(5):
            uri = f"http://example.com/page/{number}"
            body = b"question %d" % number if number % 2 else b""
            lines = [("Host", "example.com"), ("User-Agent", "warcio")]
            if body:
                lines.append(("Content-Length", str(len(body))))
            head = StatusAndHeaders(
                f"{'POST' if body else 'GET'} /page/{number} HTTP/1.1", lines, is_http_request=True
            )
            request = writer.create_warc_record(uri, "request", payload=io.BytesIO(body), http_headers=head)
            answer = b"answer to /page/%d" % number
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/plain")], protocol="HTTP/1.1")
            response = writer.create_warc_record(uri, "response", payload=io.BytesIO(answer), http_headers=head)
            writer.write_request_response_pair(request, response)
            writer.write_record(
                writer.create_warc_record(
                    uri, "metadata", payload=io.BytesIO(b"via: nowhere"), warc_content_type="application/warc-fields"
                )
            )
        writer.write_record(
            writer.create_warc_record("urn:a-file", "resource", payload=io.BytesIO(b"some"), warc_content_type="text/plain")
        )
        head = StatusAndHeaders("301 Moved", [("Location", "/")], protocol="HTTP/1.0")
        writer.write_record(
            writer.create_revisit_record(
                "http://example.com/page/0", "sha1:B6QJ6BNJ3R4B23XXMRKZKHLPGJY2VE4O",
                "http://example.com/page/1", "2026-01-31T12:00:00Z", http_headers=head,
            )
        )
        bad = StatusAndHeaders("GET /no host HTTP/1.1", [], is_http_request=True)
        writer.write_record(writer.create_warc_record("http://example.com/no", "request", http_headers=bad))


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](*sys.argv[2:4], *([sys.argv[4] == "gzip"] if len(sys.argv) > 4 else []))
