internal import LeatCore
