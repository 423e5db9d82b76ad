# SPDX-License-Identifier: MIT
#
# What bars.awk and growth.awk draw with: the parts of an SVG, gathered in `body` and written by finish().

function trim(s) { gsub(/^ +| +$/, "", s); return s }
# Three digits, as in the table.
function show(x) { return x >= 100 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x) }
function escaped(s) {
    gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); gsub(/`/, "", s)
    return s
}
# anchor: start, middle or end; more: further attributes.
function text(x, y, size, anchor, s, more) {
    body = body sprintf("<text x=\"%.1f\" y=\"%.1f\" font-size=\"%s\" text-anchor=\"%s\" %s>%s</text>\n", x, y, size, anchor,
        more, escaped(s))
}
function box(x, y, w, h, fill) {
    body = body sprintf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y, w, h, fill)
}
function line(x, y, x2, y2, stroke) {
    body = body sprintf("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x, y, x2, y2, stroke)
}
function dot(x, y, r, fill) {
    body = body sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n", x, y, r, fill)
}
function path(points, stroke, width) {
    body = body sprintf("<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\"/>\n", points, stroke, width)
}
function finish(width, height) {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" ", width, height, width, height
    print "font-family=\"sans-serif\" fill=\"#222\">"
    printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n%s</svg>\n", width, height, body
}
