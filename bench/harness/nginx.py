# SPDX-License-Identifier: Apache-2.0
"""nginx with one file and one worker a core: the measure for answers that are already in memory."""
import shutil
import subprocess

from harness import process

# Access log on, as ours is and as its package has it.
CONFIG = """
daemon off; master_process on; pid {home}/pid; error_log {home}/error.log;
worker_processes {workers};
events {{ worker_connections 4096; }}
http {{
    access_log {home}/access.log; keepalive_requests 1000000000;
    client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3; uwsgi_temp_path {home}/t4;
    scgi_temp_path {home}/t5;
    open_file_cache max=10 inactive=60s; sendfile on; tcp_nopush on;
    server {{
        listen 127.0.0.1:{port}; root {home}/www;
        location = /scep {{ default_type {content_type}; }}
    }}
}}
"""


class Nginx:
    name = "nginx"
    path = "/scep"

    def __init__(self, workplace, cores, body, content_type):
        self.workplace, self.cores, self.server = workplace, cores, None
        self.program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or process.fail("nginx is not there: tools/install bench")
        self.home = workplace.folder("nginx")
        www = workplace.folder("nginx/www")
        (www / "scep").write_bytes(body)
        self.port = process.free_port()
        self.config = self.home / "nginx.conf"
        self.config.write_text(CONFIG.format(home=self.home, workers=len(cores), port=self.port, content_type=content_type))

    def start(self):
        self.server = process.start([self.program, "-p", self.home, "-c", self.config], self.cores,
                                    stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **process.user_arguments())
        self.workplace.to_stop.append(self)
        process.wait_until("nginx", lambda: self.server.poll() is not None or process.accepts(self.port))
        if self.server.poll() is not None:
            process.fail(f"nginx ended with {self.server.returncode}")

    def stop(self):
        process.stop(self.server)
        self.workplace.to_stop.remove(self)

    def cpu_ms(self):
        return {"nginx": sum(process.cpu_ms(pid) for pid in process.children(self.server.pid))}
