#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Prints, for apt-get, where the sources of the packages that this system installs come from: its own list of
# packages, with deb-src for deb.
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb /deb-src /p'
cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '
    function say() {
        if (types ~ /(^| )deb( |$)/ && uris && suites)
            for (i = split(uris, uri, " "); i > 0; i--)
                for (k = split(suites, suite, " "); k > 0; k--) print "deb-src", uri[i], suite[k], components
        types = uris = suites = components = ""
    }
    /^[ \t]*$/ { say() }
    /^Types:/ { sub(/^Types: */, ""); types = $0 }
    /^URIs:/ { sub(/^URIs: */, ""); uris = $0 }
    /^Suites:/ { sub(/^Suites: */, ""); suites = $0 }
    /^Components:/ { sub(/^Components: */, ""); components = $0 }
    END { say() }'
