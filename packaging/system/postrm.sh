#!/bin/sh
set -e
if [ "$1" = purge ]; then
  rm -rf /etc/umbra /run/umbra /var/lib/umbra /var/log/umbra
  if id umbra >/dev/null 2>&1; then userdel umbra; fi
fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
