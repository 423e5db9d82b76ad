# SPDX-License-Identifier: MIT
#
# The verdicts of tests/yield/one.sh as a table: by class of program and mode, for each compiler.

function cell(c, class, mode,   n) {
    n = count[c, class, mode]
    if (!n)
        return "-"
    if (class == "bug" && mode == "explore")
        return sprintf("%d of %d", verdict[c, class, mode, "found"], n)
    if (class == "bug" || class == "spared")
        return sprintf("%d of %d, %d with sites", verdict[c, class, mode, "sites"] + verdict[c, class, mode, "seen"], n,
                       verdict[c, class, mode, "sites"])
    n -= verdict[c, class, mode, "partial"]
    return sprintf("%d alarms in %d%s", n - verdict[c, class, mode, "silent"], n,
                   mode != "explore" ? "" : sprintf(" (and %d in part)", verdict[c, class, mode, "partial"]))
}
{
    count[$1, $3, $2]++
    verdict[$1, $3, $2, $5]++
    seen[$3, $2] = 1
}
END {
    n = split(compilers, compiler)
    printf "%-22s %-10s", "programs", "mode"
    for (i = 1; i <= n; i++)
        printf " %-24s", compiler[i]
    print ""
    split("bug spared twin clean", class)
    split("seeded bugs:spare this run:repairs:sound programs", title, ":")
    split("default predicted seeds explore", mode)
    for (k = 1; k <= 4; k++)
        for (m = 1; m <= 4; m++)
            if ((class[k] SUBSEP mode[m]) in seen) {
                printf "%-22s %-10s", title[k], mode[m]
                for (i = 1; i <= n; i++)
                    printf " %-24s", cell(compiler[i], class[k], mode[m])
                print ""
            }
}
