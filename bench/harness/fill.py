# SPDX-License-Identifier: Apache-2.0
"""A store that holds very many certificates already."""


def fill(workplace, site, count):
    site.as_user([workplace.path / "p/bin/store-fill", "-c", site.dir / "etc/chancery.conf", "-n", str(count)])
