/* SPDX-License-Identifier: MIT
 *
 * Strings that several tasks change, each looking at what is there in the stretch in which it changes it. */
#include "../corpus.h"

#include <string>
#include <vector>

struct journal {
    std::string text, last;
    std::vector<std::string> lines;
};

static void *writer(void *arg)
{
    auto *book = static_cast<journal *>(arg);
    for (int i = 0; i < 3; i++) {
        std::string line = "entry " + std::to_string(i);
        bine_sleep(BINE_MS);
        book->text += line + "\n";
        book->last = line;
        if (book->last.empty())
            book->last = "none";
        bine_yield();
        book->lines.push_back(std::move(line));
        if (book->text.size() > 40)
            book->text.clear();
    }
    return arg;
}

static void *program(void *arg)
{
    journal book;
    both(writer, &book, writer, &book);
    EXPECT(book.lines.size() == 6 && book.last == "entry 2");
    return arg;
}
PROGRAM(program)
