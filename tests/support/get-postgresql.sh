#!/bin/sh
# Install PostgreSQL's server from Debian where there is none and that can be done without asking: the programs alone,
# no cluster is made and nothing is started. Otherwise the tests that need it are skipped and say so, or fail where
# CI=true.
command -v initdb >/dev/null && exit 0
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
command -v apt-get >/dev/null || exit 0
if [ "$(id -u)" = 0 ]; then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  exit 0
fi
echo "Installing PostgreSQL for the tests"
$as_root mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
  echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
export DEBIAN_FRONTEND=noninteractive
{ $as_root apt-get update -qq && $as_root apt-get install -qq --no-install-recommends postgresql; } >/dev/null
exit 0
