internal import LeatServer
