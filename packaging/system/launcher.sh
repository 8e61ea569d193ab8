#!/bin/sh
# Starts umbra with the Node beside it. `exec` keeps the process id, which systemd and --takeover rely on.
here=$(readlink -f "$0") && here=${here%/bin/*} && exec "$here/lib/node" "$here/bin/umbra.js" "$@"
