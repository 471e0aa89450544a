// Boost.JSON, compiled once: Debian ships its headers without the library.
#include <boost/json/src.hpp>
