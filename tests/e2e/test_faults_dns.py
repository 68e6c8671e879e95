# SPDX-License-Identifier: MIT
"""Name servers that say nothing, in a network of this test's own."""

import subprocess
import sys
import time

import pytest

# In the namespaces: a resolver that waits 20 s in all, for a server that is there and mute.
INSIDE = """
import fcntl, socket, struct, subprocess, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
    fcntl.ioctl(mute, 0x8914, struct.pack("16sH14x", b"lo", 1 | 64))
    mute.bind(("127.0.0.1", 53))
    with open(sys.argv[1], "w") as out:
        out.write("nameserver 127.0.0.1\\noptions timeout:10 attempts:2\\n")
    subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
    sys.exit(subprocess.run(sys.argv[2:], check=False).returncode)
"""


def alone(*command):
    return ["unshare", "--net", "--mount", *map(str, command)]


# mutant: src/ext/http.c: curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); => curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 0L);
@pytest.mark.promise("faults/microsoft", "A mute name server costs CONNECT_TIMEOUT_S, not the resolver's own patience")
def test_a_mute_name_server(stack, tmp_path, measured):
    if subprocess.run(alone("true"), check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody have a network of his own")
    env = {**stack.env, "MICROSOFT_LOGIN_URL": "https://login.example.org", "CONNECT_TIMEOUT_S": "1"}
    began = time.monotonic()
    done = subprocess.run(alone(sys.executable, "-c", INSIDE, tmp_path / "resolv", stack.bin_dir / "graphgatectl", "check"),
                          env=env, check=False, capture_output=True, text=True, timeout=60)
    took = time.monotonic() - began
    assert "discovery      failed: https://login.example.org/" in done.stdout, done
    assert took < 10
    measured(f"given up after {took:.1f} s, where the resolver would wait 20 s")
