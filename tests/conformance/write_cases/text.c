/* SPDX-License-Identifier: MIT
 *
 * Text of rank 0, 1 and 2; Markdown, HTML that must be escaped, other scripts.
 */
#include "cases.h"

void case_text(const char *root) {
    spur_writer *writer = case_open(root, "text");
    OK(spur_log_text(writer, "document", 0, "# Title\n\nsome *emphasis*, `code`\n\n- a\n- b\n",
                     AT(0)));
    OK(spur_log_text(writer, "document", 1, "second <script>alert(1)</script> & done", AT(1)));
    OK(spur_log_text(writer, "document", 2, "", AT(2)));
    OK(spur_log_text(writer, "scripts", 0,
                     "\xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\x88", AT(0)));
    const char *cells[] = {"Step: 1", "Square: **1**", "<b>no</b>", "four", "f|ve", "six"};
    OK(spur_log_text_table(writer, "list", 0, &(spur_log_cells){cells, 6, 0}, AT(0)));
    OK(spur_log_text_table(writer, "table", 0, &(spur_log_cells){cells, 2, 3}, AT(0)));
    OK(spur_log_text_table(writer, "table", 1, &(spur_log_cells){cells, 3, 2}, AT(1)));
    case_close(writer);
}
