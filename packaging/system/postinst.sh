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
  systemctl daemon-reload
  # After an upgrade the new files serve without a lost request: the instance that is idle takes over.
  if [ -n "$2" ]; then
    if systemctl --quiet is-active umbra@a; then from=a to=b; else from=b to=a; fi
    if systemctl --quiet is-active umbra@$from; then
      systemctl start umbra@$to
      if systemctl --quiet is-enabled umbra@$from; then
        systemctl disable --quiet umbra@$from
        systemctl enable --quiet umbra@$to
      fi
    fi
  fi
fi
