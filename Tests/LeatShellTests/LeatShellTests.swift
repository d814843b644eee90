import LeatShell
import Testing
