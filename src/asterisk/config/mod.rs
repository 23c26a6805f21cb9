//! `.conf` text → sections with line numbers → what http.conf and manager.conf set. This file is what the other rooms see.
