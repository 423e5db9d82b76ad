# SPDX-License-Identifier: MIT
#
# Makes the table of the calls that may switch (yielding.h) from the manual: awk -f yielding.awk man/man3/*.3
#
# What a page says under "Yields" in CALLING CONTEXT decides:
#   "Yes...", "All three do..."     every function of its SYNOPSIS;
#   ".Fn a , .Fn b and .Fn c do"    these (before the first "do" or "does"; "Only .Fn a does" too);
#   "All but .Fn a and .Fn b do"    every function but these;
#   "... does if .Fa fn does"       as what it is given does;
#   "Never", "Not from a task", "Neither"   none.
# Anything else is reported on standard error, and, with -v strict=1, fails.  The functions behind the block
# macros, which have no page, stand below.

function words(s,    list, word) {
    list = ""
    while (match(s, /^ *("[^"]*"|[^ ]+)/)) {
        word = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH)
        gsub(/^ *"?|"$/, "", word)
        list = list (list == "" ? "" : ", ") word
    }
    return list
}
function add(name, callback) {
    if (name in type && !(name in added)) {
        added[name] = 1
        printf "    {\"%s\", \"%s\", \"%s\", %s},\n", name, type[name], parameters[name],
            callback ? "true" : "false"
    }
}
function page(    n, i, each, text, name, any, callback, upto) {
    if (file == "") return
    text = said
    if (text ~ /^Yes|^All( [a-z]+)? do([ .,;]|$)/) {
        for (i = 1; i <= functions; i++) add(order[i], 0)
    } else if (text ~ /^Never|^Not from a task|^Neither/) {
        return
    } else if (text ~ /^All but / && match(text, / (do|does)([ .,;]|$)/)) {
        n = split(substr(text, 1, RSTART), each, / /)
        for (i = 1; i < n; i++)
            if (each[i] ~ /^\.?Fn$/) added[each[i + 1]] = 1
        for (i = 1; i <= functions; i++) add(order[i], 0)
    } else if (match(text, / (do|does)([ .,;]|$)/)) {
        upto = substr(text, 1, RSTART)
        callback = substr(text, RSTART) ~ /^ does if \.Fa [a-z]+ does/
        n = split(upto, each, / /)
        for (i = 1; i < n; i++)
            if (each[i] ~ /^\.?Fn$/) { add(each[i + 1], callback); any = 1 }
        if (!any) unclear()
    } else unclear()
}
function unclear() {
    print file ": what it says under Yields is not understood: " said > "/dev/stderr"
    if (strict) bad = 1
}
BEGIN {
    added["bine_might_yield"] = 1 # never switches, and says that its caller may
    print "/* Made by yielding.awk from the manual. */"
    print "#include \"yielding.h\"\n\nconst struct yielding yielding[] = {"
    print "    {\"bine_might_yield\", \"void\", \"void\", false},"
    print "    {\"bine__group_end\", \"void\", \"void *\", false},"
    print "    {\"bine__group_leave\", \"void\", \"void *\", false},"
}
FNR == 1 {
    page()
    file = FILENAME; heading = said = ""; taking = functions = 0
    delete type; delete parameters
}
/^\.Sh / { heading = $2 }
heading == "SYNOPSIS" && /^\.Ft / { ft = words(substr($0, 5)); gsub(/, /, " ", ft) }
heading == "SYNOPSIS" && /^\.Fn / {
    s = $0; sub(/^\.Fn [^ ]+/, "", s)
    order[++functions] = $2; type[$2] = ft; parameters[$2] = words(s)
}
heading == "SYNOPSIS" && /^\.Fo / { fo = $2; list = "" }
heading == "SYNOPSIS" && /^\.Fa / { list = list (list == "" ? "" : ", ") words(substr($0, 5)) }
heading == "SYNOPSIS" && /^\.Fc/ { order[++functions] = fo; type[fo] = ft; parameters[fo] = list }
heading == "CALLING" && /^\.It / { taking = $2 == "Yields"; next }
heading == "CALLING" && /^\.El/ { taking = 0 }
taking { said = said (said == "" ? "" : " ") $0 }
END {
    page()
    print "};\n\nconst size_t yielding_count = sizeof yielding / sizeof *yielding;"
    exit bad
}
