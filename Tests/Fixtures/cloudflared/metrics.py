"""The metrics port: /ready, /config and the others, in cloudflared's words."""
import http.server
import json
import threading
import time

import switches


def handler(tunnel):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            """cloudflared does not log these."""

        def do_GET(self):
            time.sleep(switches.number("metrics-after", 0))
            status, text, kind = tunnel_answer(tunnel, self.path)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def tunnel_answer(tunnel, path):
    plain, structured = "text/plain; charset=utf-8", "application/json"
    if path == "/ready":
        count = tunnel.ready_connections()
        status = 200 if count else 503
        return status, json.dumps({"status": status, "readyConnections": count, "connectorId": tunnel.connector},
                                  separators=(",", ":")), plain
    if path == "/healthcheck":
        return 200, "OK\n", plain
    if path == "/quicktunnel":
        return 200, json.dumps({"hostname": tunnel.hostname}, separators=(",", ":")), structured
    if path == "/config":
        ingress = [{key: value for key, value in {"hostname": rule.get("hostname") or "", "path": rule.get("path"),
                                                  "service": rule["service"],
                                                  "originRequest": rule.get("originRequest", {})}.items()
                    if value is not None} for rule in tunnel.rules or [{"service": "http_status:503"}]]
        return 200, json.dumps({"version": tunnel.config_version, "config": {
            "ingress": ingress, "warp-routing": tunnel.warp_routing, "originRequest": {"connectTimeout": 30} | tunnel.origin_request}}), structured
    if path == "/metrics":
        return 200, counters(tunnel), "text/plain; version=0.0.4; charset=utf-8"
    return 404, "404 page not found\n", plain


def counters(tunnel):
    lines = ['build_info{goversion="go1.27.3",revision="",type="",version="2026.8.2"} 1',
             f"cloudflared_tunnel_ha_connections {max(1, len(tunnel.connected))}",
             f"cloudflared_tunnel_total_requests {tunnel.requests}",
             f"cloudflared_tunnel_request_errors {tunnel.request_errors}",
             f"cloudflared_tunnel_concurrent_requests_per_tunnel {tunnel.in_flight}",
             f"cloudflared_orchestration_config_version {tunnel.config_version}"]
    if tunnel.successes:
        lines.append(f'cloudflared_tunnel_tunnel_register_success{{rpcName="registerConnection"}} {tunnel.successes}')
    if tunnel.refusals:
        lines.append('cloudflared_tunnel_tunnel_register_fail{error="server_error",rpcName="registerConnection"} '
                     f"{tunnel.refusals}")
    for code, count in sorted(tunnel.responses.items()):
        lines.append(f'cloudflared_tunnel_response_by_code{{status_code="{code}"}} {count}')
    if tunnel.kind == "quick":
        lines.append(f'cloudflared_tunnel_user_hostnames_counts{{userHostname="https://{tunnel.hostname}"}} 1')
    return "\n".join(lines) + "\n"


def serve(address, tunnel):
    """Opens the port; OSError when it is taken."""
    host, _, port = address.rpartition(":")
    server = http.server.ThreadingHTTPServer((host or "127.0.0.1", int(port)), handler(tunnel), False)
    server.daemon_threads = True
    server.allow_reuse_address = True
    server.server_bind()
    server.server_activate()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server.server_address
