"""C text shared by the ABI tests: reads the checked-in tables and writes one probe function per table row."""

import csv

PROLOGUE = """
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* First set bit and number of set bits of an object, counted in bytes of ascending address, LSB first. */
static __attribute__((unused)) void find_bits(const void *object, size_t bytes, long *first, long *count)
{
\tconst unsigned char *p = (const unsigned char *)object;
\t*first = -1;
\t*count = 0;
\tfor (size_t i = 0; i < bytes * CHAR_BIT; i++) {
\t\tif (!(p[i / CHAR_BIT] >> (i % CHAR_BIT) & 1))
\t\t\tcontinue;
\t\tif (*first < 0)
\t\t\t*first = (long)i;
\t\t++*count;
\t}
}
"""


def read_table(path):
    """Rows of a table as dictionaries; lines that start with '#' are comments."""
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))
    if not rows:
        raise SystemExit(f"{path}: no rows")
    return rows


def layout_key(row):
    return row["struct"] if row["field"] == "-" else f'{row["struct"]}.{row["field"]}'


def layout_function(name, row):
    """`static void NAME(long *a, long *b)` on one line. a, b: size and 0 of a structure, offset and size of a
    field, first bit and width of a bit-field."""
    struct, field = row["struct"], row["field"]
    if field == "-":
        body = f"*a = (long)sizeof(struct {struct}); *b = 0;"
    elif row["bit"] == "-":
        body = f"*a = (long)offsetof(struct {struct}, {field}); *b = (long)sizeof(((struct {struct} *)0)->{field});"
    else:
        # Reading back shows the width: writing all ones keeps only the bits there are.
        body = (f"struct {struct} s; memset(&s, 0, sizeof(s)); s.{field} = 0; s.{field} = ~s.{field}; "
                f"find_bits(&s, sizeof(s), a, b);")
    return f"static void {name}(long *a, long *b) {{ {body} }}"


def layout_expected(row):
    if row["field"] == "-":
        return int(row["size"]), 0
    if row["bit"] == "-":
        return int(row["offset"]), int(row["size"])
    first, width = row["bit"].split(":")
    return int(row["offset"]) * 8 + int(first), int(width)


def includes(headers, prefix=""):
    return "".join(f"#include <{prefix}{header}>\n" for header in headers)
