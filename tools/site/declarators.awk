# SPDX-License-Identifier: Apache-2.0
# For Doxygen: "double a, b; ///< text" becomes a line for each name, so that each has the text.
function emit(    i) {
    for (i = 1; i <= count; ++i) {
        print "    " type " " names[i] "; " doc
    }
    count = 0
}
/^ +\/\/\/</ && count {
    doc = doc "\n" $0
    next
}
{ emit() }
/^    [a-z_0-9 ]+ [a-z_0-9]+(, [a-z_0-9]+)+;/ {
    declaration = substr($0, 5, index($0, ";") - 5)
    doc = substr($0, index($0, ";") + 1)
    count = split(declaration, names, /, /)
    match(names[1], / [a-z_0-9]+$/)
    type = substr(names[1], 1, RSTART - 1)
    names[1] = substr(names[1], RSTART + 1)
    next
}
{ print }
END { emit() }
