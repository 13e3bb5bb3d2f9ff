#!/bin/sh
# Install from Debian what the tests of the documented recipes need: nginx, HAProxy, systemd-analyze. The programs alone,
# no service is started.
PATH="$PATH:/usr/sbin"
missing=
command -v nginx >/dev/null || missing="$missing nginx"
command -v haproxy >/dev/null || missing="$missing haproxy"
command -v systemd-analyze >/dev/null || missing="$missing systemd"
[ -z "$missing" ] && exit 0
. "$(dirname "$0")/debian.sh"
echo "Installing$missing for the tests"
policy=/usr/sbin/policy-rc.d # what Debian asks before a package starts a service; 101 means no
if [ ! -e "$policy" ]; then
  trap '$as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
fi
install_from_debian $missing
exit 0
