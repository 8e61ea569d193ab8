#!/bin/sh
set -e
[ "$1" = configure ] || exit 0

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers /usr/lib/sysusers.d/umbra.conf
elif ! id umbra >/dev/null 2>&1; then
  useradd --system --user-group --home-dir /var/lib/umbra --no-create-home --shell /usr/sbin/nologin umbra
fi
if command -v systemd-tmpfiles >/dev/null; then
  systemd-tmpfiles --create /usr/lib/tmpfiles.d/umbra.conf
else
  install -d -o umbra -g umbra /var/lib/umbra /var/log/umbra
fi

if [ -d /run/systemd/system ]; then
  /lib/systemd/systemd-sysctl /usr/lib/sysctl.d/50-umbra.conf || true
  systemctl daemon-reload
  # After an upgrade the new program takes over from the running one, without a lost request.
  if [ -n "$2" ] && systemctl --quiet is-active umbra && ! systemctl reload umbra; then
    echo "umbra: the old program still serves; see: journalctl -u umbra" >&2
  fi
fi
