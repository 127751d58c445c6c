import re

import pytest

from tests.server.serve import Served

pytestmark = pytest.mark.server


def test_a_static_file_comes_whole_and_without_a_word_in_the_log(served: Served) -> None:
    _, home = served.get("/")
    found = re.search(rb'href="(/static/ui/ui[^"]*\.css)"', home)
    assert found is not None
    address = found[1].decode()

    status, body = served.get(address)

    assert status == 200
    assert body.startswith(b"/* The one stylesheet")
    assert served.get(address, {"Range": "bytes=3-9"}) == (206, body[3:10])
    assert "StreamingHttpResponse" not in served.log
