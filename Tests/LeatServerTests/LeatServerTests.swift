import LeatServer
import Testing
