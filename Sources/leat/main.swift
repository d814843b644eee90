internal import LeatShell
