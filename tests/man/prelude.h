/* SPDX-License-Identifier: MIT
 *
 * What an example in the manual that includes nothing itself is compiled with. */
#include <bine.h>
#include <bine/tls.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
