#include "CLeatPlatform.h"
