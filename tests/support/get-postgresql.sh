#!/bin/sh
# Install PostgreSQL's server from Debian where there is none: the programs alone, no cluster is made and nothing is
# started.
command -v initdb >/dev/null && exit 0
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
. "$(dirname "$0")/debian.sh"
echo "Installing PostgreSQL for the tests"
$as_root mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
  echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
install_from_debian postgresql
touch "$tried"
